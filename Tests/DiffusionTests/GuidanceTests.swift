import Diffusion
import Foundation
import NumericsSupport
import TensorCore
import Testing

@Suite struct GuidanceTests {
  @Test func appliesInsideItsInterval() {
    let guidance = Guidance(scale: 2, interval: 0.5...4)
    #expect([0.4, 0.5, 1, 4, 4.1].map(guidance.applies) == [false, true, true, true, false])
    #expect(Guidance(scale: 2).applies(at: 80) && Guidance(scale: 0).applies(at: 0.002))
    #expect(!Guidance().applies(at: 1) && !Guidance(scale: 1, interval: 0...2).applies(at: 1))
  }

  /// Against `ddpm_golden.py`, which has t on a scale of 1,000 whatever T.
  @Test func powerCosineSchedule() throws {
    let golden = try DDPMGolden().guidance
    #expect(golden.count == 4)
    for recorded in golden {
      let guidance = Guidance(
        scale: recorded.scale, schedule: .powerCosine(power: recorded.power))
      let found = recorded.at.map { guidance.weight(timestep: $0, of: recorded.steps) }
      #expect(ratioError(found, recorded.weights) < 1e-12)
    }
  }

  @Test(arguments: [4.6, 4.4, 1.49, 0.5], [1000, 500])
  func endsOfTheSchedules(_ scale: Double, _ steps: Int) {
    let guidance = Guidance(scale: scale, schedule: .powerCosine())
    #expect(abs(guidance.weight(timestep: 0, of: steps) - scale) < 1e-15 * 8)
    #expect(guidance.weight(timestep: Double(steps), of: steps) == 1)
    let constant = Guidance(scale: scale)
    #expect([0, 3.5, 400].allSatisfy { constant.weight(timestep: $0, of: steps) == scale })
  }

  @Test(arguments: [nil, 1, 3, 4] as [Int?], [1, 3])
  func combinesGuidedChannels(_ guided: Int?, _ threads: Int) {
    let context = try! ComputeContext(threadCount: threads)
    let shape: Shape = [3, 40, 40, 4]  // more rows than one thread takes
    let (c, u) = (values(19_200, 1), values(19_200, 2))
    let found = Guidance(scale: 9, guidedChannels: guided).combine(
      conditional: Tensor(c, shape, on: context), unconditional: Tensor(u, shape, on: context),
      weight: 4.6)
    let expected = c.indices.map { i in
      i % 4 < guided ?? 4 ? Float(Double(u[i]) + 4.6 * (Double(c[i]) - Double(u[i]))) : c[i]
    }
    #expect(found.shape == shape && found.floats == expected)
  }

  /// Guiding the noise is guiding the prediction of the image.
  @Test func noiseAndImageAreGuidedAlike() {
    let context = ComputeContext()
    let shape: Shape = [2, 2, 2, 4]
    let x = Tensor(values(32, 1, scale: 2), shape, on: context)
    let (c, u) = (
      Tensor(values(32, 2), shape, on: context), Tensor(values(32, 3), shape, on: context)
    )
    let guidance = Guidance(scale: 4, guidedChannels: 3)
    func clean(_ noise: Tensor) -> Tensor {
      DDPM().denoise(x, sigma: [0.5, 20]) { _, _ in .init(noise) }.clean
    }
    let noise = guidance.combine(conditional: c, unconditional: u, weight: 3)
    let images = guidance.combine(conditional: clean(c), unconditional: clean(u), weight: 3)
    #expect(relativeError(images, clean(noise).floats.wide) < 1e-6)
  }

  @Test func misuseTraps() async {
    await #expect(processExitsWith: .failure) { _ = Guidance(guidedChannels: 0) }
    await #expect(processExitsWith: .failure) { _ = Guidance(schedule: .powerCosine(power: 0)) }
    await #expect(processExitsWith: .failure) {
      _ = Guidance(scale: 2, schedule: .powerCosine()).weight(timestep: 501, of: 500)
    }
    await #expect(processExitsWith: .failure) {
      let images = Tensor(zeros: [1, 2, 2, 3], on: ComputeContext())
      _ = Guidance(guidedChannels: 4).combine(
        conditional: images, unconditional: images, weight: 1)
    }
    await #expect(processExitsWith: .failure) {
      let context = ComputeContext()
      _ = Guidance().combine(
        conditional: Tensor(zeros: [1, 2, 2, 3], on: context),
        unconditional: Tensor(zeros: [2, 2, 2, 3], on: context), weight: 1)
    }
  }
}
