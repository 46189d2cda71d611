import Configuration
import Diffusion
import Sampling
import TensorCore

/// What a training step takes beside the state: found by running one on an context that makes every tensor
/// of it and computes nothing, in next to no memory and time.
struct DryRun {
  /// What products read of the weights, kept through a step: f32 or bf16, forward and transposed.
  let panelBytes: Int
  /// All tensors of a step beside state and panels, at most, with what the pool keeps for the next step.
  let activationBytes: Int
  /// What drawing samples takes beyond that.
  let samplingBytes: Int

  /// - Parameters:
  ///   - images: of this rank in a step, at least one.
  ///   - samples: that it draws at once between steps; 0: none.
  init(_ given: Configuration, images: Int, microBatch: Int, threads: Int, samples: Int) throws {
    let micro = min(microBatch, images)
    // Each micro-batch is as the second, but for a smaller last one.
    let rehearsed = min(images / micro, 2) * micro + images % micro
    var configuration = given
    // One rank's step; averages belong to the state.
    (configuration.parallel, configuration.ema) = (ParallelSettings(), [])
    (configuration.train.batch, configuration.train.microBatch) = (rehearsed, micro)
    let context = ComputeContext(meta: threads)
    let pool = context.memory
    let trainer = try Trainer.synthetic(
      configuration, on: context, pixels: { [Float](repeating: 0, count: $0) })
    let state = pool.requestedBytes

    var panels = 0
    let shards = try trainer.nextShards()
    let held = pool.requestedBytes
    try trainer.withPackedWeights(for: shards) {
      for shard in shards {
        for part in shard.parts {
          trainer.task.trainingStep(part, of: shard.index, for: trainer)
        }
      }
      panels = pool.requestedBytes - held
    }
    let step = pool.peakWrittenBytes
    panelBytes = panels
    let image = trainer.task.imageShape(batch: 1).count * 4
    activationBytes = step - state - panels + (images - rehearsed) * image

    if samples > 0, let model = (trainer.task as? DiffusionTask)?.model {
      let denoiser = NetworkDenoiser(
        model, labels: model.labels(of: (0..<samples).map { UInt64($0) }),
        guidance: SamplingParameters(given.sample, given).guidance)
      model.parameters.withPackedWeights {
        let noise = Tensor(zeros: model.imageShape(batch: samples), on: context)
        _ = denoiser.denoiseWithVariance(noise, sigma: 1)
      }
    }
    samplingBytes = pool.peakWrittenBytes - step
  }
}
