import Autodiff
import Collectives
import Configuration
import Datasets
import FixtureSupport
import Foundation
import TensorCore
import Testing
import Training

/// 200 steps of the trainer against the oracle's, from the same weights, images, sigmas and noise.
@Suite("Training like the oracle") struct TrainingGoldenTests {
  private struct Recorded: Decodable {
    struct Probe: Decodable {
      let position: UInt64
      let image: [Float]
    }
    let seed: UInt64
    let steps: Int
    let batch: Int
    let parameters: [OracleParameter]
    let probe: Probe
    let losses: [Double]
  }

  private let recorded: Recorded
  private let side = 8

  init() throws {
    let data = try Data(contentsOf: Repository.reference("train-200.json"))
    recorded = try JSONDecoder().decode(Recorded.self, from: data)
  }

  private func configuration(microBatch: Int) throws -> Configuration {
    var configuration = Configuration()
    configuration.model.resolution = side
    configuration.model.channels = [16, 32]
    configuration.model.image.blocks = [1, 1]
    configuration.model.image.headDim = 8
    configuration.model.image.timeDim = 32
    configuration.model.image.embedDim = 16
    configuration.model.dropout = 0
    configuration.train.precision = .fp32
    configuration.data.kind = .shapes
    configuration.data.augment = 0
    configuration.train.batch = recorded.batch
    configuration.train.microBatch = microBatch
    configuration.train.seed = Int(recorded.seed)
    configuration.optimizer.warmup = 0
    // The trainer divides by an image's elements; the oracle's Adam has 1e-8 as it stands.
    configuration.optimizer.eps = 1e-8 * Double(side * side * 3)
    try configuration.validate()
    return configuration
  }

  /// A constant colour and grain, as `train_golden.py` draws them.
  private func image(_ position: UInt64) -> [Float] {
    let stream = RandomStream(seed: recorded.seed, .test, position: position)
    return (0..<side * side * 3).map { j in
      let colour = 2 * stream.uniform(j % 3) - 1
      let grain = 2 * stream.uniform(3 + j) - 1
      return Float(min(max(colour + 0.3 * grain, -1), 1))
    }
  }

  private func losses(microBatch: Int, threads: Int) throws -> [Double] {
    var next: UInt64 = 0
    let batch = UInt64(recorded.batch)
    let trainer = Trainer(
      try configuration(microBatch: microBatch), over: SingleCommunicator(),
      on: try! ComputeContext(threadCount: threads),
      loader: MadeBatches {
        defer { next += batch }
        let positions = Array(next..<next + batch)
        return Batch(
          positions: positions, images: positions.flatMap(image),
          labels: positions.map { _ in 0 }, augmentLabels: [])
      })
    try trainer.parameters.drawAsOracle(recorded.parameters, seed: recorded.seed)
    return try (0..<recorded.steps).map { _ in
      try trainer.step()
      return trainer.statistics.latest
    }
  }

  @Test func theDrawsAreTheOracles() {
    let probe = recorded.probe
    #expect(Array(image(probe.position).prefix(probe.image.count)) == probe.image)
  }

  /// The oracle in f32 and f64 differ by 5e-7; a wrong epsilon alone would change losses by 1e-4.
  @Test(arguments: [(8, 2), (3, 1)])
  func everyStepHasTheOraclesLoss(_ microBatch: Int, _ threads: Int) throws {
    let losses = try losses(microBatch: microBatch, threads: threads)
    for (step, (ours, theirs)) in zip(losses, recorded.losses).enumerated() {
      #expect(abs(ours - theirs) <= 3e-5 * theirs, "step \(step): \(ours) against \(theirs)")
    }
  }
}
