import Autodiff
import Diffusion
import Foundation
import NumericsSupport
import TensorCore
import Testing

@Suite struct EDMCoefficientTests {
  static let levels = [0.002, 0.03, 0.5, 1, 7, 80]

  /// What the coefficients were derived from (arXiv:2206.00364, appendix B.6).
  @Test(arguments: levels, [0.5, 1.3])
  func identities(_ s: Double, _ sigmaData: Double) {
    let edm = EDM(pMean: 0, pStd: 1, sigmaData: sigmaData)
    let d = sigmaData
    // Inputs and targets of the network have variance 1 ...
    #expect(abs(edm.cIn(s) * edm.cIn(s) * (s * s + d * d) - 1) < 1e-14)
    let (skip, out) = (edm.cSkip(s), edm.cOut(s))
    #expect(abs(((1 - skip) * (1 - skip) * d * d + skip * skip * s * s) / (out * out) - 1) < 1e-12)
    // ... with the least amplification of its errors ...
    #expect(abs(out * out - skip * s * s) < 1e-14 * max(1, s * s))
    // ... and a loss that weighs all levels alike.
    #expect(abs(edm.weight(s) * out * out - 1) < 1e-14)
    #expect(abs(edm.cNoise(s) - log(s) / 4) < 1e-15)
  }

  @Test func knownValues() {
    let edm = EDM()
    #expect(edm.pMean == -1.2 && edm.pStd == 1.2 && edm.sigmaData == 0.5)
    #expect(edm.cSkip(0.5) == 0.5)
    #expect(abs(edm.cOut(0.5) - 0.5 / 2.0.squareRoot()) < 1e-15)
    #expect(abs(edm.cIn(0.5) - 2.0.squareRoot()) < 1e-15)
    #expect(edm.weight(0.5) == 8)
    #expect(abs(edm.cSkip(0.002) - 0.25 / 0.250004) < 1e-15)
    #expect(abs(edm.cOut(80) - 40 / 6400.25.squareRoot()) < 1e-15)
    #expect(abs(edm.weight(80) - 6400.25 / 1600) < 1e-14)
    #expect(abs(edm.weight(0.002) - 0.250004 / 1e-6) < 1e-6)
  }
}

@Suite struct EDMLossTests {
  private let edm = EDM()
  private let sigma = [0.01, 0.7, 20]
  private let shape: Shape = [3, 2, 2, 3]

  /// F = (0.3 + c_noise) input, one factor an image.
  private func network(_ input: Variable, _ cNoise: [Double]) -> Variable {
    scale(input, by: cNoise.map { Float(0.3 + $0) })
  }

  /// Every image's loss by the definition, in f64.
  private func terms(_ y: [Double], _ n: [Double]) -> [Double] {
    sigma.enumerated().map { image, s in
      let d = 0.25
      let variance = s * s + d
      let factor = 0.3 + log(s) / 4
      let errors = (image * 12..<image * 12 + 12).map { i in
        let x = y[i] + s * n[i]
        let denoised =
          d / variance * x + s * 0.5 / variance.squareRoot() * factor * x / variance.squareRoot()
        return (denoised - y[i]) * (denoised - y[i])
      }
      return variance / (s * s * d) * errors.reduce(0, +) / 12
    }
  }

  @Test func equalsTheDefinition() {
    let context = ComputeContext()
    let (y, n) = (values(36, 1), values(36, 2, scale: 2))
    let (images, noise) = (Tensor(y, shape, on: context), Tensor(n, shape, on: context))
    let (share, found) = edm.loss(
      images, sigma: sigma, noise: noise, batch: 8, on: Tape(), network: network)
    let expected = terms(y.wide, n.wide)
    for (found, expected) in zip(found, expected) {
      #expect(abs(found - expected) < 3e-6 * expected)
    }
    // These three images' share of a batch of eight.
    #expect(
      abs(Double(share.value.floats[0]) - expected.reduce(0, +) / 8) < 3e-6 * expected.reduce(0, +))
  }

  /// Shares of micro-batches add up to the batch's mean.
  @Test func sharesAddUp() {
    let context = ComputeContext()
    let (images, noise) = (
      Tensor(values(36, 1), shape, on: context), Tensor(values(36, 2), shape, on: context)
    )
    func share(_ range: Range<Int>) -> Double {
      let (share, _) = edm.loss(
        images[range], sigma: Array(sigma[range]), noise: noise[range], batch: 3, on: Tape(),
        network: network)
      return Double(share.value.floats[0])
    }
    let whole = share(0..<3)
    #expect(abs(share(0..<1) + share(1..<3) - whole) < 3e-7 * whole)
  }

  /// The loss differentiates through F's parameters: a 1x1 network F = input w against central
  /// differences of the definition.
  @Test func gradientOfTheNetwork() {
    let context = ComputeContext()
    let set = ParameterSet()
    let weight = set.root.parameter("w", [3, 3], .zeros)
    set.seal()
    set.allocate(on: context, gradients: true)
    let w = values(9, 5)
    weight.value.copy(from: Tensor(w, [3, 3], on: context))
    let (y, n) = (values(36, 1), values(36, 2))
    let tape = Tape()
    let (share, _) = edm.loss(
      Tensor(y, shape, on: context), sigma: sigma, noise: Tensor(n, shape, on: context), batch: 3,
      on: tape
    ) { input, _ in linear(input, weight, nil) }
    tape.backward(from: share)

    func loss(_ w: [Double]) -> Double {
      var total = 0.0
      for (image, s) in sigma.enumerated() {
        let variance = s * s + 0.25
        let x = (image * 12..<image * 12 + 12).map { Double(y[$0]) + s * Double(n[$0]) }
        let raw = Plain.linear(
          x.map { $0 / variance.squareRoot() }, w, nil, rows: 4, k: 3, n: 3)
        for i in 0..<12 {
          let denoised = 0.25 / variance * x[i] + s * 0.5 / variance.squareRoot() * raw[i]
          let error = denoised - Double(y[image * 12 + i])
          total += variance / (s * s * 0.25) * error * error / 12 / 3
        }
      }
      return total
    }
    let expected = w.indices.map { i in
      var (up, down) = (w.wide, w.wide)
      up[i] += 1e-5
      down[i] -= 1e-5
      return (loss(up) - loss(down)) / 2e-5
    }
    #expect(relativeError(weight.gradient, expected) < 1e-5)
  }

  /// Denoising without noise levels in common: each image by its own sigma, with and without a tape.
  @Test func denoiseIsImageByImage() {
    let x = Tensor(values(36, 1), shape, on: ComputeContext())
    let together = edm.denoise(x, sigma: sigma, network: network)
    #expect(together.tape == nil)
    for image in 0..<3 {
      let alone = edm.denoise(x[image..<image + 1], sigma: [sigma[image]], network: network)
      #expect(alone.value.bits == together.value[image..<image + 1].bits)
    }
    let tape = Tape()
    let taped = edm.denoise(x, sigma: sigma, on: tape, network: network)
    #expect(taped.value.bits == together.value.bits && taped.tape === tape)
  }
}

@Suite struct EDMDrawTests {
  /// ln sigma ~ N(-1.2, 1.2^2): moments and the shape of the distribution.
  @Test func sigma() {
    let edm = EDM()
    let count = 40_000
    let z = (0..<count).map { (log(edm.sigma(seed: 3, position: UInt64($0))) + 1.2) / 1.2 }
    let mean = z.reduce(0, +) / Double(count)
    let variance = z.reduce(0) { $0 + $1 * $1 } / Double(count) - mean * mean
    #expect(abs(mean) < 0.02 && abs(variance - 1) < 0.03)
    // Kolmogorov-Smirnov at 1 in 1,000.
    let distance = z.sorted().enumerated().map { rank, z in
      abs(0.5 * erfc(-z / 2.0.squareRoot()) - (Double(rank) + 0.5) / Double(count))
    }.max()
    #expect((distance ?? 1) < 1.95 / Double(count).squareRoot())
  }

  @Test func sigmaIsAFunctionOfSeedAndPosition() {
    let edm = EDM()
    #expect(edm.sigma(seed: 1, position: 5) == edm.sigma(seed: 1, position: 5))
    let draws = [
      edm.sigma(seed: 1, position: 5), edm.sigma(seed: 2, position: 5),
      edm.sigma(seed: 1, position: 6), edm.sigma(seed: 1, position: 1 << 32 | 5),
    ]
    #expect(Set(draws).count == 4)
  }

  /// Unit normals, the same for an image wherever it stands and on any number of threads.
  @Test func noise() {
    let context = ComputeContext()
    let images = Tensor([4, 16, 16, 3], on: context)
    let positions: [UInt64] = [9, 2, 1 << 33, 4]
    let noise = trainingNoise(seed: 1, positions: positions, like: images)
    let z = noise.floats.wide
    let variance = z.reduce(0) { $0 + $1 * $1 } / Double(z.count)
    #expect(abs(z.reduce(0, +) / Double(z.count)) < 0.07 && abs(variance - 1) < 0.1)
    for (image, position) in positions.enumerated() {
      let alone = trainingNoise(seed: 1, positions: [position], like: images[0..<1])
      #expect(alone.bits == noise[image..<image + 1].bits)
    }
    let threaded = Tensor([4, 16, 16, 3], on: try! ComputeContext(threadCount: 3))
    #expect(trainingNoise(seed: 1, positions: positions, like: threaded).bits == noise.bits)
    #expect(trainingNoise(seed: 2, positions: positions, like: images).bits != noise.bits)
  }
}
