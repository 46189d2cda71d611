import FileFormats
import Images
import SystemSupport
import TensorCore

extension ImageSampler {
  /// Measures a batch: the seconds that sampling one image takes, by the time of one network call
  /// and the number of calls, and images as a batch gives them, which are not samples.
  package func measureBatch() -> (secondsPerImage: Double, images: [RGBImage]) {
    let seeds = (0..<UInt64(batch)).map { $0 }
    let denoiser = NetworkDenoiser(model, labels: labels(of: seeds))
    let noise = Tensor(zeros: model.imageShape(batch: batch), on: context)
    let visited = levels.sigmas.dropLast()
    let guided = visited.count { guidance.applies(at: $0) }
    return model.parameters.withPackedWeights {
      // The first call takes memory and packs the weights.
      let state = denoiser.denoise(noise, sigma: 1)
      let begun = MonotonicClock.now
      _ = denoiser.denoise(noise, sigma: 1)
      let call = MonotonicClock.now - begun
      let decoding = MonotonicClock.now
      let images = self.images(state) { _ in }
      let calls =
        Double(sampler.calls(steps: visited.count))
        * (1 + Double(guided) / Double(max(visited.count, 1)))
      let seconds = call * calls + MonotonicClock.now - decoding
      return (seconds / Double(batch), images)
    }
  }
}
