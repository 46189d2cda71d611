import Autodiff
import Collectives
import Configuration
import ModelLoading
import Optimization
import TensorCore

/// A set of parameters as one rank trains it: weights, gradients and how they are added up over the
/// ranks, the optimiser's state, and the moving averages of the weights.
///
/// All ranks hold the same weights. A run has one state per network: the model, and where there is
/// one its discriminator.
package final class TrainState {
  /// Prefix of its parameters' names in checkpoints; empty for the model itself.
  let prefix: String
  let parameters: ParameterSet
  let reducer: GradientReducer
  /// Gathers the ranks' partitions of a flat tensor.
  let exchange: AllGather
  /// By parameter: its range of the flat gradient, in elements, alignment gaps included.
  let finalRanges: [Range<Int>]
  var adam: Adam
  /// Updates the matrices of hidden layers; nil: Adam does.
  private let muon: Muon?
  var averages: [ExponentialAverage]
  private let context: ComputeContext

  /// - Parameters:
  ///   - declared: parameters that take memory here.
  ///   - lossScale: published loss / our loss. Our gradients are smaller by this factor, so Adam's
  ///     epsilon is divided by it.
  ///   - hasAverages: whether moving averages of these weights are kept, as the configuration says.
  init(
    _ declared: DeclaredSet, _ configuration: Configuration, lossScale: Double,
    hasAverages: Bool, over communicator: any Communicator, on context: ComputeContext
  ) {
    (prefix, parameters, self.context) = (declared.prefix, declared.parameters, context)
    parameters.allocate(on: context, gradients: true)
    parameters.initialize(seed: UInt64(configuration.train.seed))
    let buckets = GradientBuckets(
      count: parameters.flatCount, bucketMB: configuration.parallel.bucketMB)
    reducer = GradientReducer(
      parameters.gradients, buckets: buckets,
      method: configuration.reductionMethod(ranks: communicator.size), over: communicator)
    exchange = AllGather(buckets, over: communicator)
    finalRanges = parameters.paddedRanges
    let owned = OptimizerPartition(reducer.ownPartition)
    let (optimizer, weights) = (configuration.optimizer, parameters.weights)
    let matrices = optimizer.kind == .muon ? declared.matrices : []
    muon = matrices.isEmpty ? nil : Muon(matrices, owned: owned)
    adam = Adam(
      owned: owned, betas: (optimizer.betas[0], optimizer.betas[1]),
      epsilon: optimizer.eps / lossScale, weightDecay: optimizer.weightDecay,
      excluding: matrices.map(\.range), on: context)
    averages = (hasAverages ? configuration.ema : []).map {
      ExponentialAverage($0, of: weights, owned: owned)
    }
  }

  /// Whether each rank keeps the optimiser's state only of its own partition.
  var isSharded: Bool { reducer.method.reduceScatters }

  /// Starts the averages again from the present weights; called after weights were read from a
  /// file.
  func restartAverages() {
    for average in averages { average.restart(at: parameters.weights) }
  }

  /// A moving average as weights for the network, [flatCount], on every rank. Collective.
  func values(of average: ExponentialAverage) throws -> Tensor {
    guard isSharded else { return average.values }
    let all = Tensor(zeros: [parameters.flatCount], on: context)
    let owned = adam.owned
    for (flat, kept) in zip(owned.views(ofFlat: all), owned.views(ofKept: average.values)) {
      flat.copy(from: kept)
    }
    try exchange.share(all)
    return all
  }

  /// Makes `tape` report gradients that are final, so that they are sent while backward goes on.
  func send(from tape: Tape) {
    tape.onGradientReady = { [reducer, finalRanges] in reducer.markReady(finalRanges[$0.index]) }
    tape.betweenOperations = { [reducer] in reducer.progress() }
  }

  /// The sum of squares of each block of the summed gradient; with a sharded optimiser only this
  /// rank's blocks, and 0 for the others.
  func gradientSquares() -> [Double] { blockSquares(parameters.gradients, in: adam.owned.pieces) }

  /// One update of this rank's partition of the weights. Collective where the optimiser is sharded
  /// and updates whole matrices.
  ///
  /// - Parameters:
  ///   - gradientNorm: norm of all gradients, before clipping.
  ///   - clipNorm: the largest norm; 0: gradients are not clipped.
  ///   - batch: images of the step, over all ranks.
  ///   - seen: images of all ranks before the step.
  func update(
    learningRate: Double, gradientNorm: Double, clipNorm: Double, batch: Int, seen: Int
  ) throws {
    let (weights, gradients) = (parameters.weights, parameters.gradients)
    let factor = clippingFactor(norm: gradientNorm, limit: clipNorm)
    let averages = averages.map { ($0, beta: $0.beta(batch: batch, imagesSeen: seen)) }
    adam.update(
      weights, gradients: gradients, learningRate: learningRate, factor: factor, averages: averages)
    guard let muon else { return }
    muon.accumulate(gradients, factor: factor, momentum: adam.first)
    if isSharded {
      // Each rank orthogonalises whole matrices of its own, and sends them to the others.
      try exchange.share(gradients)
      let shares = MatrixParameter.shares(of: muon.matrices, ranks: exchange.ranks)
      muon.orthogonalize(gradients, shares[exchange.rank])
      try exchange.share(gradients, pieces: muon.pieces(of: shares))
    } else {
      muon.orthogonalize(gradients, muon.matrices.indices)
    }
    muon.apply(
      gradients, to: weights, learningRate: learningRate, weightDecay: adam.weightDecay,
      averages: averages)
  }
}
