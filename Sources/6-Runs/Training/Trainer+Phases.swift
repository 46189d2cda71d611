import Autodiff
import Datasets
import Optimization
import TensorCore

/// A micro-batch as tensors.
package struct MicroBatch {
  /// Each image's place in the run's image sequence, [B].
  let positions: [UInt64]
  /// [B, H, W, C], in about [-1, 1].
  let images: Tensor
  /// Nil: an unconditional network; an entry nil: no label, for guidance.
  let labels: [Int?]?
  /// [B, 9], or nil without augmentation.
  let augment: Tensor?
  /// Whether it is the last that this rank works on in the step.
  let isLast: Bool
}

/// Images whose gradients are added up first, always the same: a canonical shard, or in a `fast` reduction
/// all that this rank works on.
struct CanonicalShard {
  /// Among those of this rank.
  let index: Int
  let parts: [MicroBatch]
}

/// The phases of a step, each with its place on the clock.
extension Trainer {
  package func forward<R>(_ body: () -> R) -> R { clock.measure(.forward, body) }
  package func update(_ body: () -> Void) { clock.measure(.optimizer, body) }

  /// The reverse pass of the model.
  ///
  /// - Parameter sending: whether gradients leave as soon as they are final.
  package func backward(_ tape: Tape, from share: Variable, sending: Bool) {
    if sending { model.send(from: tape) }
    clock.measure(.backward) { tape.backward(from: share) }
  }

  /// Runs `body`, the work on a step's images, in which weights do not change: products keep the panels they
  /// make of them, where they will be asked for again.
  func withPackedWeights(for shards: [CanonicalShard], _ body: () throws -> Void) throws {
    // An autoencoder's discriminator reads its weights more than once.
    guard shards.reduce(0, { $0 + $1.parts.count }) > 1 || replicas.count > 1 else {
      return try body()
    }
    func hold(_ rest: ArraySlice<TrainState>) throws {
      guard let replica = rest.first else { return try body() }
      try replica.parameters.withPackedWeights { try hold(rest.dropFirst()) }
    }
    try hold(replicas[...])
  }

  /// Returns when the gradients, or this rank's pieces of them, are those of the global batch.
  func sumOverRanks() throws {
    communicator.activity.enter(.communication)
    for replica in replicas { try replica.reducer.finish() }
  }

  /// After an update of this rank's pieces of the weights: those of all ranks.
  func shareWeights() throws {
    for replica in replicas where replica.isSharded {
      try clock.measure(.exposedComm) { try replica.exchange.share(replica.parameters.weights) }
    }
  }

  /// This rank's images of the next step. A rank that cannot read its images would leave the others
  /// waiting for its gradients: so they agree first.
  func nextShards() throws -> [CanonicalShard] {
    let read = clock.measure(.data) { Result { try source() } }
    let batch = try clock.measure(.exposedComm) { try communicator.agree(on: read) }
    let (count, micro) = (batch.positions.count, configuration.train.microBatch)
    let shardCount = model.reducer.method.localShards
    return clock.measure(.data) {
      (0..<shardCount).map { index in
        let end = count * (index + 1) / shardCount
        let starts = stride(from: count * index / shardCount, to: end, by: micro)
        return CanonicalShard(
          index: index, parts: starts.map { part(of: batch, $0..<min($0 + micro, end)) })
      }
    }
  }

  private func part(of batch: Batch, _ range: Range<Int>) -> MicroBatch {
    let positions = Array(batch.positions[range])
    let shape = task.imageShape(batch: range.count)
    let pixels = shape.count / range.count
    let augment = task.augmentLabels
    return MicroBatch(
      positions: positions,
      images: Tensor(
        Array(batch.images[range.lowerBound * pixels..<range.upperBound * pixels]), shape,
        on: context),
      labels: task.classes > 0
        ? zip(batch.labels[range], positions).map { dropsLabel(at: $1) ? nil : $0 } : nil,
      augment: augment > 0
        ? Tensor(
          Array(batch.augmentLabels[range.lowerBound * augment..<range.upperBound * augment]),
          [range.count, augment], on: context) : nil,
      isLast: range.upperBound == batch.positions.count)
  }

  /// Whether the image at this position trains the unconditional network.
  private func dropsLabel(at position: UInt64) -> Bool {
    RandomStream(seed: seed, .labelDropout, position: position).uniform(0)
      < configuration.diffusion.labelDropout
  }

  /// Norms of the summed gradients, a replica.
  func gradientNorms() throws -> [Double] {
    try replicas.map { replica in
      var squares = clock.measure(.optimizer) { replica.gradientSquares() }
      if replica.isSharded {
        // Each block is another rank's zero, but for one: the sum is exact.
        squares = try clock.measure(.exposedComm) { try communicator.sum(squares) }
      }
      return treeSum(squares).squareRoot()
    }
  }

  /// Whether every rank finds its loss and the summed gradients finite.
  func areFinite(_ norms: [Double]) throws -> Bool {
    try clock.measure(.exposedComm) {
      try communicator.allRanks(norms.allSatisfy(\.isFinite) && statistics.lastStepIsFinite)
    }
  }

  /// Leaves an update out, or ends the run, as `optimizer.on_nonfinite` says.
  func skipUpdate(norm: Double) throws {
    skippedUpdates += 1
    statistics.noteUpdate(
      learningRate: learningRate(imagesSeen: imagesSeen - configuration.train.batch),
      gradientNorm: norm)
    guard configuration.optimizer.onNonFinite == .stop else { return }
    try communicator.agree { throw TrainingError.nonFinite(images: imagesSeen) }
  }
}
