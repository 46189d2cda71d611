import Autodiff
import Diffusion
import Foundation
import NumericsSupport
import TensorCore
import Testing

/// The training losses against `ddpm_golden.py`, PyTorch's gradients included.
@Suite struct DDPMLossTests {
  private let golden: DDPMGolden.Losses
  private let shape: Shape = [6, 2, 2, 2]
  private let twice: Shape = [6, 2, 2, 4]

  init() throws { golden = try DDPMGolden().losses }

  private func ddpm(_ loss: DDPM.Loss) -> DDPM {
    DDPM(loss: loss, learnedVariance: loss == .hybrid)
  }

  /// The loss of images `range`, and its gradient with respect to what the network gives.
  private func loss(
    _ kind: DDPM.Loss, _ range: Range<Int>, raw: [Float]? = nil, threads: Int = 1
  ) throws -> (share: Double, terms: [Double], gradient: Tensor) {
    let context = try! ComputeContext(threadCount: threads)
    let raw = Tensor(raw ?? golden.raw, twice, on: context)[range]
    let tape = Tape()
    let output = tape.variable(raw)
    let (share, terms) = ddpm(kind).loss(
      Tensor(golden.clean, shape, on: context)[range], timesteps: Array(golden.timesteps[range]),
      weights: Array(golden.weights[range]), noise: Tensor(golden.noise, shape, on: context)[range],
      batch: golden.batch, on: tape
    ) { input, timesteps in
      #expect(timesteps == golden.timesteps[range].map(Double.init))
      #expect(
        relativeError(input.value, Array(golden.noisy[range.lowerBound * 8..<range.upperBound * 8]))
          < 1e-6)
      return output
    }
    let gradient = try #require(tape.gradients(of: share, at: [output])[0])
    return (Double(share.value.floats[0]), terms, gradient)
  }

  @Test(arguments: DDPM.Loss.allCases)
  func equalsThePapers(_ kind: DDPM.Loss) throws {
    let expected = try #require(golden.kinds[kind.rawValue])
    let found = try loss(kind, 0..<6)
    #expect(ratioError(found.terms, expected.terms) < 1e-9)
    #expect(abs(found.share - expected.share) < 1e-7 * expected.share)
    // Image by image, since their gradients are of very different size.
    for image in 0..<6 {
      let part = Array(expected.gradient[image * 16..<(image + 1) * 16])
      let error = relativeError(found.gradient[image..<image + 1], part)
      #expect(error < 1e-6, "\(kind), image \(image): \(error)")
    }
  }

  /// The variance's gradient by itself: next to that of the noise an error would not show.
  @Test func gradientOfTheVariance() throws {
    func variances(_ gradient: [Double]) -> [Double] {
      gradient.enumerated().filter { $0.offset % 4 >= 2 }.map(\.element)
    }
    let expected = variances(try #require(golden.kinds["hybrid"]).gradient)
    let found = variances(try loss(.hybrid, 0..<6).gradient.floats.wide)
    #expect(ratioError(found, expected) < 1e-6)
    #expect(expected.filter { $0 == 0 }.count == 1)  // where the likelihood is cut
    #expect(
      try loss(.mse, 0..<6).gradient.floats.wide.enumerated().allSatisfy {
        $0.offset % 4 < 2 || $0.element == 0
      })
  }

  /// Against central differences of the hybrid loss in f64 whose bound does not see the noise change.
  @Test(arguments: [0, 1, 300, 999])
  func gradientsAreThoseOfTheTerms(_ timestep: Int) {
    let context = ComputeContext()
    let ddpm = ddpm(.hybrid)
    let (y, n) = (values(8, 1), values(8, 2, scale: 2))
    let raw = values(16, 3, scale: 1.5)
    let size: Shape = [1, 2, 2, 2]
    func loss(_ changed: [Double]) -> Double {
      (0..<8).reduce(0) { sum, i in
        let (at, target) = (i / 2 * 4 + i % 2, Double(n[i]))
        let off = changed[at] - target
        let fixed = Double(raw[at]) - target  // what the bound's mean is made of
        return sum + (off * off + bits(ddpm, timestep, fixed, changed[at + 2], Double(y[i]))) / 8
      }
    }
    let tape = Tape()
    let output = tape.variable(Tensor(raw, [1, 2, 2, 4], on: context))
    let (share, terms) = ddpm.loss(
      Tensor(y, size, on: context), timesteps: [timestep], noise: Tensor(n, size, on: context),
      batch: 1, on: tape
    ) { _, _ in output }
    #expect(abs(terms[0] - loss(raw.wide)) < 1e-9 * terms[0])
    let expected = raw.indices.map { i in
      var (up, down) = (raw.wide, raw.wide)
      up[i] += 1e-5
      down[i] -= 1e-5
      return (loss(up) - loss(down)) / 2e-5
    }
    guard let gradient = tape.gradients(of: share, at: [output])[0] else {
      Issue.record("no gradient")
      return
    }
    #expect(relativeError(gradient, expected) < 1e-6)
  }

  /// An element's term, with the C library's functions.
  private func bits(
    _ ddpm: DDPM, _ t: Int, _ off: Double, _ v: Double, _ clean: Double
  ) -> Double {
    let lower = ddpm.posteriorLogVarianceClipped[t]
    let variance = exp((v + 1) / 2 * log(ddpm.betas[t]) + (1 - v) / 2 * lower)
    let prediction = off * ddpm.sigmas[t]  // the clean image less the prediction of it
    if t > 0 {
      let mean = ddpm.posteriorMeanClean[t] * prediction
      return 0.5 * (log(variance) - lower - 1 + exp(lower) / variance + mean * mean / variance)
        / log(2)
    }
    func below(_ z: Double) -> Double {
      0.5 * (1 + tanh((2 / .pi).squareRoot() * (z + 0.044715 * z * z * z)))
    }
    let scale = variance.squareRoot()
    let mass = below((prediction + 1 / 255) / scale) - below((prediction - 1 / 255) / scale)
    return -log2(max(mass, 1e-12))
  }

  @Test(arguments: DDPM.Loss.allCases)
  func sharesAddUpAndThreadsChangeNothing(_ kind: DDPM.Loss) throws {
    let whole = try loss(kind, 0..<6)
    let parts = [try loss(kind, 0..<2), try loss(kind, 2..<6)]
    #expect(abs(parts[0].share + parts[1].share - whole.share) < 3e-7 * whole.share)
    #expect(parts[0].terms + parts[1].terms == whole.terms)
    #expect(parts[0].gradient.bits + parts[1].gradient.bits == whole.gradient.bits)
    let threaded = try loss(kind, 0..<6, threads: 3)
    #expect(threaded.gradient.bits == whole.gradient.bits && threaded.terms == whole.terms)
  }

  /// A network without channels for v, and one whose channels nothing trains, learn the same.
  @Test(arguments: [DDPM.Loss.mse, .smoothL1])
  func channelsOfAnUnusedVariance(_ kind: DDPM.Loss) throws {
    let context = ComputeContext()
    let noise = golden.raw.enumerated().filter { $0.offset % 4 < 2 }.map(\.element)
    let tape = Tape()
    let output = tape.variable(Tensor(noise, shape, on: context))
    let (share, terms) = ddpm(kind).loss(
      Tensor(golden.clean, shape, on: context), timesteps: golden.timesteps,
      weights: golden.weights, noise: Tensor(golden.noise, shape, on: context), batch: golden.batch,
      on: tape
    ) { _, _ in output }
    let wide = try loss(kind, 0..<6)
    #expect(Double(share.value.floats[0]) == wide.share && terms == wide.terms)
    let gradient = try #require(tape.gradients(of: share, at: [output])[0])
    let expected = wide.gradient.bits.enumerated().filter { $0.offset % 4 < 2 }.map(\.element)
    #expect(gradient.bits == expected)
  }

  /// A network that has diverged must not end the program: ranks agree on what to do.
  @Test(arguments: [Float.nan, .infinity, -.infinity, 3e38, -3e38, 1e5, -1e5])
  func numbersThatAreNotFinite(_ value: Float) throws {
    for (at, kind) in [(0, DDPM.Loss.mse), (0, .smoothL1), (0, .hybrid), (2, .hybrid)] {
      for image in 0..<6 {
        var raw = golden.raw
        raw[image * 16 + at] = value
        let found = try loss(kind, 0..<6, raw: raw)
        if !value.isFinite { #expect(!found.terms[image].isFinite, "\(kind), image \(image)") }
        let others = found.terms.indices.filter { $0 != image }
        #expect(others.allSatisfy { found.terms[$0].isFinite })
      }
    }
  }

  @Test func misuseTraps() async {
    await #expect(processExitsWith: .success) { lose([1], channels: 4) }
    await #expect(processExitsWith: .failure) {  // timestep 4 of 4
      lose([4], channels: 4)
    }
    await #expect(processExitsWith: .failure) {  // two timesteps for an image
      lose([1, 2], channels: 4)
    }
    await #expect(processExitsWith: .failure) {  // no channels for v
      lose([1], channels: 2)
    }
    await #expect(processExitsWith: .failure) {
      lose([1], channels: 3)
    }
  }
}

private func lose(_ timesteps: [Int], channels: Int) {
  let images = Tensor(zeros: [1, 2, 2, 2], on: ComputeContext())
  _ = DDPM(steps: 4, loss: .hybrid, learnedVariance: true).loss(
    images, timesteps: timesteps, noise: images, batch: 1
  ) { x, _ in Variable(Tensor(zeros: [1, 2, 2, channels], on: x.value.context)) }
}
