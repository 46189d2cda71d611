import Diffusion
import ModelLoading
import Sampling
import SystemSupport
import TensorCore

/// How long sampling takes: the network's calls and the sampler's own arithmetic, timed apart while
/// a batch is drawn.
struct SamplingTiming: Codable, Equatable, Sendable {
  /// Images drawn at once.
  let batch: Int
  /// Network calls that were timed.
  let calls: Int
  let callSeconds: TimingSummary
  /// Seconds per call for the sampler's own arithmetic.
  let arithmeticSeconds: Double
  /// As many as the sampler makes.
  let callsAnImage: Int

  var imagesPerSecond: Double {
    Double(batch) / (Double(callsAnImage) * (callSeconds.median + arithmeticSeconds))
  }

  enum CodingKeys: String, CodingKey {
    case batch, calls
    case callSeconds = "call_seconds"
    case arithmeticSeconds = "arithmetic_seconds"
    case callsAnImage = "calls_an_image"
  }

  /// Draws a batch of `sample`'s size as a run does between steps, or with as many steps as fit
  /// into some twenty seconds, three at least; then profiles single calls.
  static func measure(
    _ model: DenoisingModel, _ drawing: SamplingParameters, on context: ComputeContext,
    profile: OperatorProfile
  ) -> (timing: SamplingTiming, call: Breakdown) {
    let (sampler, steps) = (drawing.method, drawing.steps)
    var levels = model.formulation.levels(steps: 1)
    let batch = ImageSampler.standardBatch
    let seeds = (0..<batch).map { UInt64($0) }
    let network = TimedDenoiser(
      NetworkDenoiser(model, labels: model.labels(of: seeds), guidance: drawing.guidance))
    let shape = model.imageShape(batch: batch)
    let image = Shape(Array(shape.dimensions.dropFirst()))
    return model.parameters.withPackedWeights {
      func draw() {
        _ = sampler.sample(seeds: seeds, over: levels, image: image, with: network, on: context)
      }
      draw()  // fills the memory pool and the caches
      let affordable = Int(20 / max(Benchmark.seconds(of: draw), 1e-3))
      levels = model.formulation.levels(
        steps: min(steps, max(affordable * steps / sampler.calls(steps: steps), 3)))
      network.times = []
      var seconds = 0.0
      repeat { seconds += Benchmark.seconds(of: draw) } while network.times.count < 5
      let times = network.times
      let noise = Tensor(zeros: shape, on: context)
      let call = Breakdown(by: profile) { _ = network.denoise(noise, sigma: 1) }
      let timing = SamplingTiming(
        batch: batch, calls: times.count, callSeconds: TimingSummary(of: times),
        arithmeticSeconds: max(seconds - times.reduce(0, +), 0) / Double(times.count),
        callsAnImage: sampler.calls(steps: steps))
      return (timing, call)
    }
  }
}

/// Takes the time of every call.
private final class TimedDenoiser: VarianceDenoiser {
  var times: [Double] = []
  private let network: NetworkDenoiser

  init(_ network: NetworkDenoiser) { self.network = network }

  func denoiseWithVariance(_ x: Tensor, sigma: Double) -> (clean: Tensor, v: Tensor?) {
    let start = MonotonicClock.now
    defer { times.append(MonotonicClock.now - start) }
    return network.denoiseWithVariance(x, sigma: sigma)
  }
}
