import Collectives
import Configuration
import Datasets
import Synchronization
import TensorCore
import Testing
import Training

/// What a step calls at its named points.
@Suite struct StepHookTests {
  /// Four images per step, in micro-batches of three and one.
  private func trainer(_ hook: any StepHook) throws -> Trainer {
    var configuration = Configuration()
    configuration.model.resolution = 8
    configuration.model.channels = [16]
    configuration.model.image.blocks = [1]
    configuration.model.image.headDim = 8
    configuration.model.image.timeDim = 16
    configuration.model.image.embedDim = 16
    configuration.data.kind = .shapes
    configuration.data.augment = 0
    configuration.train.batch = 4
    configuration.train.microBatch = 3
    configuration.optimizer.warmup = 0
    try configuration.validate()
    let samples = ImageSamples(ShapesDataset(resolution: 8, count: 20))
    return Trainer(
      configuration, over: SingleCommunicator(), on: ComputeContext(),
      loader: try DataLoader(samples, seed: 0, start: 0, globalBatch: 4, share: 0..<4), hook: hook)
  }

  @Test func theNamedPointsOfAStep() throws {
    let hook = RecordingHook()
    let trainer = try trainer(hook)
    for _ in 0..<2 { try trainer.step() }
    #expect(
      hook.calls.withLock { $0 } == [
        "step at 0 of 4 on rank 0", "images [3, 1] at 0", "step at 4 of 4 on rank 0",
        "images [3, 1] at 4",
      ])
  }

  /// The fault reaches the tensors, and only those of its step.
  @Test func aFaultSpoilsTheImagesOfOneStep() throws {
    let fault = try #require(try FaultPoint(environment: [FaultPoint.variable: "nan@images=4"]))
    let trainer = try trainer(fault)
    var weights = [trainer.parameters.weights.floats]
    for _ in 0..<3 {
      try trainer.step()
      weights.append(trainer.parameters.weights.floats)
    }
    #expect(weights[1] != weights[0] && weights[2] == weights[1] && weights[3] != weights[2])
  }

  @Test func onlyTheFaultsOwnRankIsMuted() throws {
    let fault = try #require(try FaultPoint(environment: [FaultPoint.variable: "mute@rank=1"]))
    #expect(!fault.mutesHeartbeats(of: 0) && fault.mutesHeartbeats(of: 1))
    #expect(!RecordingHook().mutesHeartbeats(of: 1))
  }
}

/// Writes down when it is called.
private final class RecordingHook: StepHook {
  let calls = Mutex<[String]>([])

  func stepBegins(_ moment: StepMoment) {
    calls.withLock {
      $0.append("step at \(moment.images) of \(moment.batch) on rank \(moment.rank)")
    }
  }

  func imagesAreReady(_ images: [Tensor], _ moment: StepMoment) {
    let counts = images.map { $0.shape[0] }
    calls.withLock { $0.append("images \(counts) at \(moment.images)") }
  }
}
