import Autodiff
import Collectives
import Configuration
import Datasets
import TensorCore
import Testing
import Training

@Suite("The trainer's step") struct TrainerTests {
  private func configuration() throws -> Configuration {
    var configuration = Configuration()
    configuration.model.resolution = 8
    configuration.model.channels = [16]
    configuration.model.image.blocks = [1]
    configuration.model.image.headDim = 8
    configuration.model.image.timeDim = 16
    configuration.model.image.embedDim = 16
    configuration.model.dropout = 0
    configuration.data.kind = .shapes
    configuration.data.augment = 0
    configuration.train.batch = 4
    configuration.train.microBatch = 4
    configuration.optimizer.warmup = 0
    return configuration
  }

  private func trainer(
    _ configuration: Configuration, labels: [Int] = [0, 1, 2, 3], pixel: Float = 0.5
  ) throws -> Trainer {
    try configuration.validate()
    let size = configuration.model.resolution * configuration.model.resolution * 3
    let batch = Batch(
      positions: [0, 1, 2, 3], images: [Float](repeating: pixel, count: 4 * size),
      labels: labels, augmentLabels: [])
    return Trainer(
      configuration, over: SingleCommunicator(), on: ComputeContext(),
      loader: MadeBatches { batch })
  }

  /// The weights of the label's column after one step, [classes][embedding].
  private func labelGradients(_ trainer: Trainer) throws -> [[Float]] {
    let weight = try #require(
      trainer.parameters.parameters.first { $0.name == "map_label.weight" })
    let (classes, width) = (weight.shape[0], weight.shape[1])
    let values = weight.gradient.floats
    return (0..<classes).map { Array(values[$0 * width..<($0 + 1) * width]) }
  }

  /// The output layer starts at zero and lets no gradient through: give it weights.
  private func openOutput(_ trainer: Trainer) throws {
    let head = try #require(
      trainer.parameters.parameters.first { $0.name == "head_conv.weight" })
    head.value.fill(0.01)
  }

  @Test func labelsReachTheirOwnColumnOfTheEmbedding() throws {
    var configuration = try configuration()
    configuration.model.classes = 10
    configuration.diffusion.labelDropout = 0
    let trainer = try trainer(configuration, labels: [2, 2, 7, 7])
    try openOutput(trainer)
    try trainer.step()
    let used = try labelGradients(trainer).map { $0.contains { $0 != 0 } }
    #expect(used == (0..<10).map { $0 == 2 || $0 == 7 })
  }

  @Test func everyLabelCanBeLeftOut() throws {
    var configuration = try configuration()
    configuration.model.classes = 10
    configuration.diffusion.labelDropout = 1
    let trainer = try trainer(configuration)
    try openOutput(trainer)
    try trainer.step()
    #expect(try labelGradients(trainer).allSatisfy { $0.allSatisfy { $0 == 0 } })
  }

  /// After the first step the pool has every size that a step needs.
  @Test(arguments: [TrainSettings.Precision.fp32, .bf16], [false, true])
  func stepsAllocateNothingNew(_ precision: TrainSettings.Precision, _ recompute: Bool) throws {
    var configuration = try configuration()
    configuration.train.precision = precision
    configuration.train.recompute = recompute
    configuration.train.microBatch = 2
    configuration.model.dropout = 0.1
    let trainer = try trainer(configuration)
    try trainer.step()
    let held = trainer.context.memory.peakBytes
    for _ in 0..<3 { try trainer.step() }
    #expect(trainer.context.memory.peakBytes == held)
  }

  /// Adam's first step is the learning rate times the gradient's sign, but for epsilon: only where the
  /// clipped gradient is near epsilon does clipping show.
  @Test func clippingLimitsTheGradientThatAdamSees() throws {
    func change(limit: Double) throws -> Float {
      var configuration = try configuration()
      configuration.optimizer.clipNorm = limit
      configuration.optimizer.eps = 1e-3 * 192
      let trainer = try trainer(configuration)
      let bias = try #require(
        trainer.parameters.parameters.first { $0.name == "head_conv.bias" })
      try trainer.step()
      return bias.value.floats.map(abs).max() ?? 0
    }
    let (free, clipped) = (try change(limit: 0), try change(limit: 1e-6))
    #expect(free > 9e-4)
    #expect(clipped > 0 && clipped < 2e-6)
  }

  @Test func aNonFiniteImageSkipsTheUpdateOrEndsTheRun() throws {
    let skipping = try trainer(configuration(), pixel: .nan)
    let before = skipping.parameters.weights.floats
    try skipping.step()
    #expect(skipping.parameters.weights.floats == before)
    var configuration = try configuration()
    configuration.optimizer.onNonFinite = .stop
    let stopping = try trainer(configuration, pixel: .infinity)
    #expect(throws: (any Error).self) { try stopping.step() }
    #expect(stopping.parameters.weights.floats == before)
  }
}
