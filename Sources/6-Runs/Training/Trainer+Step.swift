extension Trainer {
  /// One update: bytes -> batch -> noise -> networks -> loss -> gradients -> average over ranks -> finite? ->
  /// clip -> Adam -> EMA -> state. From noise to gradients it is the objective's.
  package func step() throws {
    let shards = try nextShards()
    try withPackedWeights(for: shards) {
      for shard in shards {
        for replica in replicas { replica.parameters.beginStep() }
        for part in shard.parts {
          task.trainingStep(part, of: shard.index, for: self)
        }
        for replica in replicas {
          replica.parameters.zeroMissingGradients()
          replica.reducer.endShard()
        }
      }
    }
    try sumOverRanks()
    try task.endStep(over: communicator)

    let norms = try gradientNorms()
    let (batch, seen) = (configuration.train.batch, imagesSeen)
    imagesSeen += batch
    guard try areFinite(norms) else { return try skipUpdate(norm: norms[0]) }
    let rate = learningRate(imagesSeen: seen)
    update {
      for (index, replica) in replicas.enumerated() where task.trains(index, at: seen) {
        replica.update(
          learningRate: rate, gradientNorm: norms[index],
          clipNorm: configuration.optimizer.clipNorm,
          batch: batch, seen: seen)
      }
      statistics.noteUpdate(learningRate: rate, gradientNorm: norms[0])
    }
    try shareWeights()
  }
}
