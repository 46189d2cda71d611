import Configuration
import Diffusion
import Sampling
import TensorCore

/// The memory that a training step takes in addition to the state. It is found by a step in a
/// context that makes every tensor and computes nothing, which takes hardly any memory and time.
struct DryRun {
  /// Packed weights that matrix products read, kept for a whole step: f32 or bf16, forward and
  /// transposed.
  let panelBytes: Int
  /// The most that all other tensors of a step take, with what the pool keeps for the next step.
  let activationBytes: Int
  /// Bytes that sampling takes beyond that.
  let samplingBytes: Int

  /// - Parameters:
  ///   - images: images of this rank per step, at least one.
  ///   - samples: images that this rank draws at once between steps; 0: none.
  init(_ given: Configuration, images: Int, microBatch: Int, threads: Int, samples: Int) throws {
    let micro = min(microBatch, images)
    // All micro-batches after the first take the same memory, except that the last one may be
    // smaller.
    let rehearsed = min(images / micro, 2) * micro + images % micro
    var configuration = given
    // A step of one rank. Moving averages belong to the state.
    (configuration.parallel, configuration.ema) = (ParallelSettings(), [])
    (configuration.train.batch, configuration.train.microBatch) = (rehearsed, micro)
    let context = ComputeContext(meta: threads)
    let pool = context.memory
    let trainer = Trainer.synthetic(
      configuration, on: context, pixels: { [Float](repeating: 0, count: $0) })
    let state = pool.requestedBytes

    var panels = 0
    let shards = try trainer.nextShards()
    let held = pool.requestedBytes
    try trainer.withPackedWeights(for: shards) {
      for shard in shards {
        trainer.stepContext.begin(shard: shard.index, at: 0)
        for microBatch in shard.microBatches {
          trainer.task.trainingStep(microBatch, in: trainer.stepContext)
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
