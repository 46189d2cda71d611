import Autodiff
import Collectives
import Configuration
import ModelLoading
import Optimization
import TensorCore

/// A set of parameters as one rank trains it: weights, gradients and the way they are added up over the
/// ranks, the optimiser's state and the averages.
///
/// All ranks hold the same weights. A run has one of these a network: the model, and where there is one its
/// discriminator.
package final class TrainState {
  /// What the names of its parameters begin with in checkpoints; empty for the model itself.
  let prefix: String
  let parameters: ParameterSet
  let reducer: GradientReducer
  /// Brings the ranks' pieces of a flat tensor together.
  let exchange: AllGather
  /// By parameter: what of the flat gradient is final with it, alignment gaps included.
  let finalRanges: [Range<Int>]
  var adam: Adam
  var averages: [ExponentialAverage]
  private let context: ComputeContext

  /// - Parameters:
  ///   - parameters: declared; memory is taken here.
  ///   - lossScale: what the loss is to be multiplied by to be the published one. Gradients are smaller by
  ///     that factor, and Adam's epsilon with them.
  ///   - hasAverages: whether the configuration's averages are kept of it.
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
    adam = Adam(
      owned: owned, betas: (optimizer.betas[0], optimizer.betas[1]),
      epsilon: optimizer.eps / lossScale, weightDecay: optimizer.weightDecay, on: context)
    averages = (hasAverages ? configuration.ema : []).map {
      ExponentialAverage(
        name: $0.name, halfLife: Double($0.halfLife), rampup: $0.rampup, of: weights, owned: owned)
    }
  }

  /// Whether each rank keeps the optimiser's state of its pieces alone.
  var isSharded: Bool { reducer.method.reduceScatters }

  /// Starts the averages at the present weights: after weights were loaded from a file.
  func restartAverages() {
    for average in averages { average.restart(at: parameters.weights) }
  }

  /// An average as weights for the network, on every rank. Collective.
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

  /// Has `tape` tell of gradients that are final, so that they leave while backward goes on.
  func send(from tape: Tape) {
    tape.onGradientReady = { [reducer, finalRanges] in reducer.markReady(finalRanges[$0.index]) }
    tape.betweenOperations = { [reducer] in reducer.progress() }
  }

  /// The sums of squares of the summed gradient's blocks, of which a sharded rank knows its own.
  func gradientSquares() -> [Double] { blockSquares(parameters.gradients, in: adam.owned.pieces) }

  /// One update of this rank's pieces of the weights.
  func update(learningRate: Double, gradientNorm: Double, clipNorm: Double, batch: Int, seen: Int) {
    adam.update(
      parameters.weights, gradients: parameters.gradients, learningRate: learningRate,
      factor: clippingFactor(norm: gradientNorm, limit: clipNorm),
      averages: averages.map { ($0, beta: $0.beta(batch: batch, imagesSeen: seen)) })
  }
}
