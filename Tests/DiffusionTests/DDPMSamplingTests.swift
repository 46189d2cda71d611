import Autodiff
import Diffusion
import Foundation
import NumericsSupport
import TensorCore
import Testing

/// Sampling by noise levels against the loops of respaced chains in `ddpm_golden.py`.
@Suite struct DDPMSamplingTests {
  private let golden: DDPMGolden
  private static let image: Shape = [2, 2, 2]

  init() throws { golden = try DDPMGolden() }

  /// The linear network of the golden, behind `DDPM.denoise` or in f64 to the prediction of the image.
  private struct Linear: VarianceDenoiser {
    let ddpm: DDPM
    var isExact = false

    func denoiseWithVariance(_ x: Tensor, sigma: Double) -> (clean: Tensor, v: Tensor?) {
      guard isExact else {
        let levels = [Double](repeating: sigma, count: x.shape[0])
        return ddpm.denoise(x, sigma: levels) { input, timesteps in
          let (noise, v) = raw(input.value.floats.wide, timesteps[0])
          let rows = stride(from: 0, to: noise.count, by: 2).flatMap {
            noise[$0..<$0 + 2] + v[$0..<$0 + 2]
          }
          let shape = Shape(input.shape.dimensions.dropLast() + [4])
          return Variable(Tensor(rows.map { Float($0) }, shape, on: x.context))
        }
      }
      let timestep = ddpm.timestep(sigma: sigma)
      let kept = ddpm.alphasCumulative[Int(timestep)]
      let scaled = x.floats.map { Double($0) * kept.squareRoot() }
      let (noise, v) = raw(scaled, timestep)
      let clean = zip(scaled, noise).map {
        Float(($0 - (1 - kept).squareRoot() * $1) / kept.squareRoot())
      }
      return (
        Tensor(clean, x.shape, on: x.context),
        Tensor(v.map { Float($0) }, x.shape, on: x.context)
      )
    }

    private func raw(_ x: [Double], _ timestep: Double) -> (noise: [Double], v: [Double]) {
      let a = ddpm.alphasCumulative[Int(timestep)]
      let turned = x.indices.map { x[$0 ^ 1] }  // the other channel of two
      let noise = zip(x, turned).map {
        (1 - a).squareRoot() / (0.25 * a + 1 - a) * $0 + a.squareRoot() * (0.2 * $1 + 0.1)
      }
      return (noise, turned.map { 0.8 * $0 - 0.3 })
    }
  }

  private static let samplers: [(name: String, sampler: any Sampler)] = [
    ("learned", AncestralSampler()), ("posterior", AncestralSampler(variance: .posterior)),
    ("upper", AncestralSampler(variance: .upper)),
    ("learned clipped", AncestralSampler(clips: true)), ("ddim 0.0", DDIMSampler()),
    ("ddim 0.5", DDIMSampler(eta: 0.5)), ("ddim 1.0", DDIMSampler(eta: 1)),
    ("ddim 0.5 clipped", DDIMSampler(eta: 0.5, clips: true)),
  ]

  private func draw(
    _ sampler: any Sampler, _ ddpm: DDPM, _ count: Int, threads: Int = 1, isExact: Bool = false
  ) -> Tensor {
    sampler.sample(
      seeds: golden.seeds, over: ddpm.levels(respaced: count), image: Self.image,
      with: Linear(ddpm: ddpm, isExact: isExact), on: try! ComputeContext(threadCount: threads))
  }

  /// The samplers' equations alone to 1e-6; and with the noise rounded to f32 as networks give it,
  /// which at level sigma is an error of sigma times as much in the image.
  @Test(arguments: samplers.indices)
  func equalTheLoopsOfRespacedChains(_ which: Int) throws {
    let (name, sampler) = Self.samplers[which]
    #expect(golden.samples.count == 5)
    for recorded in golden.samples {
      let ddpm = try DDPM(recorded.schedule, recorded.steps, .hybrid)
      let expected = try #require(recorded.images[name])
      let exact = relativeError(draw(sampler, ddpm, recorded.count, isExact: true), expected)
      #expect(exact < 1e-6, "\(name), \(recorded.count) of \(recorded.steps): \(exact)")
      let error = relativeError(draw(sampler, ddpm, recorded.count), expected)
      let bound = max(1e-6, 1e-8 * ddpm.sigma(timestep: recorded.steps - 1))
      #expect(error < bound, "\(name), \(recorded.count) of \(recorded.steps): \(error)")
    }
  }

  /// The golden tells these samplers apart.
  @Test func samplersDiffer() throws {
    let images = try #require(golden.samples.first { $0.count == 250 }).images
    for (a, b) in [("learned", "posterior"), ("learned", "upper"), ("learned", "learned clipped")] {
      let (a, b) = (try #require(images[a]), try #require(images[b]))
      #expect(zip(a, b).contains { abs($0 - $1) > 1e-3 })
    }
  }

  /// Where nothing was learned, the variance is the posterior's.
  @Test func withoutALearnedVariance() {
    let (fixed, learned) = (DDPM(steps: 40), DDPM(steps: 40, loss: .hybrid, learnedVariance: true))
    let posterior = draw(AncestralSampler(variance: .posterior), learned, 10)
    #expect(draw(AncestralSampler(), fixed, 10).bits == posterior.bits)
    #expect(draw(AncestralSampler(), learned, 10).bits != posterior.bits)
    #expect(
      draw(AncestralSampler(), learned, 10, threads: 3).bits
        == draw(AncestralSampler(), learned, 10).bits)
  }

  /// E[clean | x] from the noise, at levels between timesteps and beyond them, image by image.
  @Test func denoises() {
    let ddpm = DDPM(loss: .hybrid, learnedVariance: true)
    let context = ComputeContext()
    let sigma = [0.001, 0.3, 500]
    let x = Tensor(values(24, 1, scale: 3), [3, 2, 2, 2], on: context)
    let raw = Tensor(values(48, 2), [3, 2, 2, 4], on: context)
    let (clean, v) = ddpm.denoise(x, sigma: sigma) { input, timesteps in
      #expect(timesteps == sigma.map { ddpm.timestep(sigma: $0) })
      #expect(timesteps[0] == 0 && timesteps[2] == 999)
      let expected = x.floats.enumerated().map { i, x in
        let s = sigma[i / 8]
        return Double(x) / (1 + s * s).squareRoot()
      }
      #expect(relativeError(input.value, expected) < 1e-6)
      return Variable(raw)
    }
    for i in 0..<24 {
      let at = i / 2 * 4 + i % 2
      let expected = Double(x.floats[i]) - sigma[i / 8] * Double(raw.floats[at])
      #expect(abs(Double(clean.floats[i]) - expected) < 1e-6 * max(1, abs(expected)))
      #expect(v?.floats[i] == raw.floats[at + 2])
    }
    #expect(DDPM().denoise(x, sigma: sigma) { _, _ in Variable(raw) }.v == nil)
    let same = DDPM().denoise(x, sigma: sigma) { _, _ in Variable(raw) }.clean
    #expect(same.bits == clean.bits)
  }

  @Test func observersSeeTheGuess() {
    let ddpm = DDPM(steps: 40, loss: .hybrid, learnedVariance: true)
    let denoiser = Linear(ddpm: ddpm)
    var steps: [SamplerStep] = []
    let images = AncestralSampler(clips: true).sample(
      seeds: [1], over: ddpm.levels(respaced: 5), image: Self.image, with: denoiser,
      on: ComputeContext()
    ) { steps.append($0) }
    #expect(steps.map(\.sigma) == Array(ddpm.levels(respaced: 5).sigmas.dropLast()))
    for step in steps {
      #expect(denoiser.denoise(step.noisy, sigma: step.sigma).bits == step.denoised.bits)
    }
    #expect(images.floats == steps[4].denoised.floats.map { max(-1, min(1, $0)) })
  }

  /// A v that has diverged gives images that say so, and no trap.
  @Test func varianceThatIsNotFinite() {
    struct Diverged: VarianceDenoiser {
      func denoiseWithVariance(_ x: Tensor, sigma: Double) -> (clean: Tensor, v: Tensor?) {
        (x, Tensor([Float](repeating: .nan, count: x.count), x.shape, on: x.context))
      }
    }
    let images = AncestralSampler().sample(
      seeds: [1], over: DDPM(steps: 9).levels(respaced: 3), image: Self.image, with: Diverged(),
      on: ComputeContext())
    #expect(images.floats.allSatisfy { $0.isNaN })
  }

  @Test func misuseTraps() async {
    await #expect(processExitsWith: .failure) {  // a v of another shape
      struct Short: VarianceDenoiser {
        func denoiseWithVariance(_ x: Tensor, sigma: Double) -> (clean: Tensor, v: Tensor?) {
          (x, Tensor(zeros: [1, 1, 1, 1], on: x.context))
        }
      }
      _ = AncestralSampler().sample(
        seeds: [1], over: DDPM().levels(respaced: 3), image: [2, 2, 2], with: Short(),
        on: ComputeContext())
    }
    await #expect(processExitsWith: .failure) {  // no channels for v
      let x = Tensor(zeros: [1, 2, 2, 2], on: ComputeContext())
      _ = DDPM(loss: .hybrid, learnedVariance: true).denoise(x, sigma: [1]) { x, _ in x }
    }
    await #expect(processExitsWith: .failure) {  // two levels for an image
      _ = DDPM().denoise(Tensor(zeros: [1, 2, 2, 2], on: ComputeContext()), sigma: [1, 2]) { x, _ in
        x
      }
    }
  }
}
