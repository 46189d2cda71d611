import Autodiff
import Optimization
import TensorCore

extension Trainer {
  /// One update: bytes -> batch -> sigma, noise -> network -> loss -> gradients -> average over ranks ->
  /// finite? -> clip -> Adam -> EMA -> state.
  package func step() throws {
    let shards = try nextShards()
    parameters.holdingWeights {
      for shard in shards {
        parameters.beginStep()
        for part in shard.parts {
          let sigma = part.positions.map { edm.sigma(seed: seed, position: $0) }
          let noise = edm.noise(seed: seed, positions: part.positions, like: part.images)
          let tape = Tape(dropout: DropoutSource(seed: seed, positions: part.positions))
          let (share, losses) = forward {
            edm.loss(
              part.images, sigma: sigma, noise: noise, batch: configuration.train.batch, on: tape
            ) { x, cNoise in
              model(x, cNoise: cNoise, labels: part.labels, augment: part.augment)
            }
          }
          backward(tape, from: share, sending: part.isLast)
          statistics.note(losses, sigma: sigma, shard: shard.index)
        }
        parameters.zeroMissingGradients()
        reducer.endShard()
      }
    }
    try sumOverRanks()

    let norm = try gradientNorm()
    let seen = imagesSeen
    imagesSeen += configuration.train.batch
    guard try isFinite(norm) else { return try skipUpdate(norm: norm) }
    update {
      let rate = learningRate(imagesSeen: seen)
      adam.update(
        parameters.weights, gradients: parameters.gradients, learningRate: rate,
        factor: clippingFactor(norm: norm, limit: configuration.optimizer.clipNorm),
        averages: averages.map {
          ($0, beta: $0.beta(batch: configuration.train.batch, imagesSeen: seen))
        })
      statistics.noteUpdate(learningRate: rate, gradientNorm: norm)
    }
    try shareWeights()
  }
}
