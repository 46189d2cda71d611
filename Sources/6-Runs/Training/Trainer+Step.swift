import Datasets
import Optimization
import TensorCore

extension Trainer {
  /// One update of the weights:
  ///
  ///     read this rank's images of the global batch, cut them into micro-batches    nextShards
  ///     for each canonical shard of this rank:
  ///       gradients = 0                                                             beginStep
  ///       for each micro-batch of the shard:
  ///         noise -> networks -> loss -> gradients                                  trainingStep
  ///       add the shard's gradients to those of the shards before it                endShard
  ///     add gradients up over the ranks                                             sumOverRanks
  ///     norm of the gradients; leave the update out unless all is finite            gradientNorms
  ///     clip, then Adam, then the averages of the weights                           update
  ///     gather the weights of all ranks, where each updates only its partition      shareWeights
  package func step() throws {
    let shards = try nextShards()
    try withPackedWeights(for: shards) {
      for shard in shards {
        stepContext.begin(shard: shard.index, at: imagesSeen)
        for state in states { state.parameters.beginStep() }
        for microBatch in shard.microBatches { task.trainingStep(microBatch, in: stepContext) }
        for state in states {
          state.parameters.zeroMissingGradients()
          state.reducer.endShard()
        }
      }
    }
    try sumOverRanks()
    try task.endStep(over: communicator)

    let norms = try gradientNorms()
    let (batch, seen) = (configuration.train.batch, imagesSeen)
    imagesSeen += batch
    guard try areFinite(norms) else { return try skipUpdate(norm: norms[0]) }
    skips.noteUpdate(at: seen)
    let rate = learningRate(imagesSeen: seen)
    try clock.measure(.optimizer) {
      for (index, state) in states.enumerated() where task.trains(index, at: seen) {
        try state.update(
          learningRate: rate, gradientNorm: norms[index],
          clipNorm: configuration.optimizer.clipNorm,
          batch: batch, seen: seen)
      }
      statistics.noteUpdate(learningRate: rate, gradientNorm: norms[0])
    }
    try shareWeights()
  }

  // MARK: Images

  /// This rank's images of the next step. A rank that cannot read its images would leave the others
  /// waiting for its gradients, so all ranks first agree that every rank has read its own.
  func nextShards() throws -> [CanonicalShard] {
    let moment = StepMoment(
      images: imagesSeen, batch: configuration.train.batch, rank: communicator.rank)
    let read = clock.measure(.data) {
      hook?.stepBegins(moment)
      return Result { try loader.next() }
    }
    let batch = try clock.measure(.exposedComm) { try communicator.agree(on: read) }
    let shards = clock.measure(.data) { canonicalShards(of: batch) }
    hook?.imagesAreReady(shards.flatMap { $0.microBatches.map(\.images) }, moment)
    return shards
  }

  /// Cuts a batch of this rank into canonical shards, and those into micro-batches.
  private func canonicalShards(of batch: Batch) -> [CanonicalShard] {
    let (count, size) = (batch.positions.count, configuration.train.microBatch)
    let shards = model.reducer.method.localShards
    return (0..<shards).map { index in
      let end = count * (index + 1) / shards
      let starts = stride(from: count * index / shards, to: end, by: size)
      return CanonicalShard(
        index: index,
        microBatches: starts.map { microBatch(of: batch, $0..<min($0 + size, end)) })
    }
  }

  /// Copies some images of a batch into tensors of their own.
  private func microBatch(of batch: Batch, _ range: Range<Int>) -> MicroBatch {
    let positions = Array(batch.positions[range])
    let augment = task.augmentLabels
    return MicroBatch(
      positions: positions,
      images: Tensor(
        rows: range, of: batch.images, task.imageShape(batch: range.count), on: context),
      labels: task.classes > 0
        ? zip(batch.labels[range], positions).map { dropsLabel(at: $1) ? nil : $0 } : nil,
      augment: augment > 0
        ? Tensor(rows: range, of: batch.augmentLabels, [range.count, augment], on: context) : nil,
      isLast: range.upperBound == batch.positions.count)
  }

  /// Whether the image at this position trains the unconditional network.
  private func dropsLabel(at position: UInt64) -> Bool {
    RandomStream(seed: seed, .labelDropout, position: position).uniform(0)
      < configuration.diffusion.labelDropout
  }

  // MARK: Weights and gradients

  /// Runs `body`, the work on a step's images, during which weights do not change. Matrix products
  /// keep their packed weights for it where they are asked for more than once.
  func withPackedWeights(for shards: [CanonicalShard], _ body: () throws -> Void) throws {
    // An autoencoder's discriminator reads its weights more than once.
    guard shards.reduce(0, { $0 + $1.microBatches.count }) > 1 || states.count > 1 else {
      return try body()
    }
    func hold(_ rest: ArraySlice<TrainState>) throws {
      guard let state = rest.first else { return try body() }
      try state.parameters.withPackedWeights { try hold(rest.dropFirst()) }
    }
    try hold(states[...])
  }

  /// Returns when the gradients, or this rank's partition of them, are those of the global batch.
  private func sumOverRanks() throws {
    communicator.activity.enter(.communication)
    for state in states { try state.reducer.finish() }
  }

  /// The norm of the summed gradients, one per set of parameters.
  private func gradientNorms() throws -> [Double] {
    try states.map { state in
      var squares = clock.measure(.optimizer) { state.gradientSquares() }
      if state.isSharded {
        // Each block is zero on all ranks but one, so the sum is exact.
        squares = try clock.measure(.exposedComm) { try communicator.sum(squares) }
      }
      return treeSum(squares).squareRoot()
    }
  }

  /// Whether on every rank the loss and the summed gradients are finite.
  private func areFinite(_ norms: [Double]) throws -> Bool {
    try clock.measure(.exposedComm) {
      try communicator.allRanks(norms.allSatisfy(\.isFinite) && statistics.lastStepIsFinite)
    }
  }

  /// Leaves an update out, or ends the run, as `optimizer.on_nonfinite` says.
  private func skipUpdate(norm: Double) throws {
    skips.noteSkip()
    statistics.noteUpdate(
      learningRate: learningRate(imagesSeen: imagesSeen - configuration.train.batch),
      gradientNorm: norm)
    guard configuration.optimizer.onNonFinite == .stop else { return }
    try communicator.agree { throw TrainingError.nonFinite(images: imagesSeen) }
  }

  /// Gathers the weights of all ranks, where each rank has updated only its partition.
  private func shareWeights() throws {
    for state in states where state.isSharded {
      try clock.measure(.exposedComm) { try state.exchange.share(state.parameters.weights) }
    }
  }
}

extension Tensor {
  /// A tensor of some consecutive rows of a flat array, copied once.
  ///
  /// - Parameters:
  ///   - rows: of which each has as many values as a row of `shape`.
  ///   - shape: [rows.count, ...].
  fileprivate init(
    rows: Range<Int>, of values: [Float], _ shape: Shape, on context: ComputeContext
  ) {
    self.init(shape, on: context)
    let width = shape.count / rows.count
    invariant(
      rows.upperBound * width <= values.count, "Trainer: images \(rows) of \(values.count) values")
    withFloats { to in
      values.withUnsafeBufferPointer { from in
        guard let base = from.baseAddress else { return }
        to.update(from: base + rows.lowerBound * width, count: shape.count)
      }
    }
  }
}
