import Diffusion
import NumericsSupport
import TensorCore
import Testing

/// What every sampler promises, and what ties them to one another.
@Suite struct SamplerTests {
  private static let all: [any Sampler] = [
    HeunSampler(), HeunSampler(churn: .init(3)), HeunSampler(corrects: false), AncestralSampler(),
    DDIMSampler(), DDIMSampler(eta: 0.5), DPMSolverPlusPlus(),
  ]
  private static let which = all.indices
  private let image: Shape = [4, 4, 3]
  private let levels = NoiseLevels.edm(steps: 5)

  private func sample(
    _ sampler: any Sampler, _ seeds: [UInt64], threads: Int = 1,
    observe: ((SamplerStep) -> Void)? = nil
  ) -> Tensor {
    sampler.sample(
      seeds: seeds, over: levels, image: image, with: RationalDenoiser(),
      on: try! ComputeContext(threadCount: threads), observe: observe)
  }

  /// A batch is its images one by one, in any order, bit for bit; threads change nothing.
  @Test(arguments: which)
  func imagesDependOnTheirSeeds(_ which: Int) {
    let sampler = Self.all[which]
    let seeds: [UInt64] = [7, 0, 1 << 35, 12, 3]
    let together = sample(sampler, seeds)
    #expect(together.shape == [5, 4, 4, 3])
    for (index, seed) in seeds.enumerated() {
      #expect(sample(sampler, [seed]).bits == together[index..<index + 1].bits)
    }
    let reversed = sample(sampler, seeds.reversed())
    #expect(reversed[4..<5].bits == together[0..<1].bits)
    #expect(together[0..<1].bits != together[1..<2].bits)
    #expect(sample(sampler, []).shape == [0, 4, 4, 3])
  }

  /// More elements than one thread takes.
  @Test(arguments: which)
  func threadsChangeNothing(_ which: Int) {
    func bits(_ threads: Int) -> [UInt32] {
      Self.all[which].sample(
        seeds: [1, 2, 3], over: .edm(steps: 3), image: [64, 64, 3], with: RationalDenoiser(),
        on: try! ComputeContext(threadCount: threads)
      ).bits
    }
    #expect(bits(1) == bits(3))
  }

  @Test(arguments: which, [1, 2, 7])
  func networkCalls(_ which: Int, _ steps: Int) {
    let counter = Counter()
    _ = Self.all[which].sample(
      seeds: [1], over: .edm(steps: steps), image: image, with: counter, on: ComputeContext())
    #expect(counter.calls == Self.all[which].calls(steps: steps))
  }

  /// One step is the prediction from the first noise, whatever the sampler.
  @Test(arguments: which)
  func oneStepIsTheGuess(_ which: Int) {
    guard (Self.all[which] as? HeunSampler)?.churn.amount ?? 0 == 0 else { return }
    let t = NoiseLevels([2.5, 0])
    let found = Self.all[which].sample(
      seeds: [4], over: t, image: image, with: RationalDenoiser(), on: ComputeContext())
    let noise = RandomStream(seed: 0, .samplerNoise, position: 4).normals(image.count)
    let noisy = Tensor(noise.map { Float(2.5 * $0) }, [1, 4, 4, 3], on: ComputeContext())
    let prediction = RationalDenoiser().denoise(noisy, sigma: 2.5)
    #expect(relativeError(found, prediction.floats.wide) < 1e-6)
  }

  /// Observing changes nothing, and tells of each step what the network saw and said.
  @Test(arguments: which)
  func observedSteps(_ which: Int) {
    var steps: [SamplerStep] = []
    let seen = sample(Self.all[which], [7, 8]) { steps.append($0) }
    #expect(seen.bits == sample(Self.all[which], [7, 8]).bits)
    #expect(steps.map(\.index) == [0, 1, 2, 3, 4])
    for step in steps {
      let prediction = RationalDenoiser().denoise(step.noisy, sigma: step.sigma)
      #expect(prediction.bits == step.denoised.bits && prediction.shape == [2, 4, 4, 3])
      #expect(step.sigma >= levels[step.index] && step.sigma <= 1.5 * levels[step.index])
    }
    // The last step leads to the prediction.
    #expect(relativeError(seen, steps[4].denoised.floats.wide) < 1e-6)
  }

  @Test func ancestralSamplingIsDDIMWithAllItsNoise() {
    let ancestral = sample(AncestralSampler(), [1, 2])
    #expect(relativeError(sample(DDIMSampler(eta: 1), [1, 2]), ancestral.floats.wide) < 1e-6)
    #expect(relativeError(sample(DDIMSampler(eta: 0.9), [1, 2]), ancestral.floats.wide) > 1e-3)
  }

  @Test func ddimWithoutNoiseIsEuler() {
    let euler = sample(HeunSampler(corrects: false), [1, 2])
    #expect(relativeError(sample(DDIMSampler(), [1, 2]), euler.floats.wide) < 1e-6)
  }

  /// Data N(0, 1) and equal steps of ln 2: x is multiplied by a known number at each step.
  @Test func multistepByHand() {
    struct Normal: Denoiser {
      func denoise(_ x: Tensor, sigma: Double) -> Tensor {
        Tensor(x.floats.map { Float(Double($0) / (1 + sigma * sigma)) }, x.shape, on: x.context)
      }
    }
    let noise = GivenNoise(firstNoise: [1])
    let found = DPMSolverPlusPlus().sample(
      from: noise, over: NoiseLevels([4, 2, 1, 0]), image: [1, 1, 1], with: Normal(),
      on: ComputeContext())
    let (d0, x1) = (4.0 / 17, 4 * 0.5 + 0.5 * 4 / 17)
    let d1 = x1 / 5
    let x2 = 0.5 * x1 + 0.5 * (1.5 * d1 - 0.5 * d0)
    #expect(abs(Double(found.floats[0]) - x2 / 2) < 1e-6)
  }

  /// Noise is asked for where a step adds some, and nowhere else.
  @Test(arguments: zip(which, [[], [0, 1, 2, 3, 4], [], [0, 1, 2, 3], [], [0, 1, 2, 3], []]))
  func stepsThatDraw(_ which: Int, _ expected: [Int]) {
    let noise = CountedNoise(count: image.count)
    _ = Self.all[which].sample(
      from: noise, over: levels, image: image, with: RationalDenoiser(), on: ComputeContext(),
      observe: nil)
    #expect(noise.steps == expected)
  }

  @Test func misuseTraps() async {
    await #expect(processExitsWith: .failure) { _ = DDIMSampler(eta: 1.1) }
    await #expect(processExitsWith: .failure) { _ = DDIMSampler(eta: -0.1) }
    await #expect(processExitsWith: .failure) {
      _ = DDIMSampler().sample(
        seeds: [1], over: .edm(steps: 2), image: [4, 3], with: RationalDenoiser(),
        on: ComputeContext())
    }
    await #expect(processExitsWith: .failure) {  // 2 values for an image of 3
      _ = DDIMSampler().sample(
        from: GivenNoise(firstNoise: [1, 2]), over: .edm(steps: 2), image: [1, 1, 3],
        with: RationalDenoiser(), on: ComputeContext())
    }
    await #expect(processExitsWith: .failure) {  // likewise, at a step
      _ = AncestralSampler().sample(
        from: GivenNoise(firstNoise: [1, 2, 3], steps: [[1]]), over: .edm(steps: 2),
        image: [1, 1, 3], with: RationalDenoiser(), on: ComputeContext())
    }
    await #expect(processExitsWith: .failure) {  // a prediction of another shape
      _ = DDIMSampler().sample(
        seeds: [1], over: .edm(steps: 2), image: [2, 2, 3], with: Cropping(), on: ComputeContext())
    }
  }
}

private struct Cropping: Denoiser {
  func denoise(_ x: Tensor, sigma: Double) -> Tensor { Tensor(zeros: [1, 1, 1, 3], on: x.context) }
}

private final class Counter: Denoiser {
  private(set) var calls = 0

  func denoise(_ x: Tensor, sigma: Double) -> Tensor {
    calls += 1
    return x
  }
}

private final class CountedNoise: SampleNoise {
  let images = 1
  private let noise: [Double]
  private(set) var steps: [Int] = []

  init(count: Int) { noise = [Double](repeating: 0.5, count: count) }

  func first(_ count: Int) -> [Double] { noise }

  func added(at step: Int, _ count: Int) -> [Double] {
    steps.append(step)
    return noise
  }
}
