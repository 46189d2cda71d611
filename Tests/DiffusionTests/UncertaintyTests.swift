import Autodiff
import Diffusion
import FixtureSupport
import NumericsSupport
import TensorCore
import Testing

@Suite struct UncertaintyTests {
  /// u, the share of the loss and its gradients against NumPy in f64.
  @Test(arguments: Setup.levels) func againstNumPy(_ level: KernelTable.Level) throws {
    let golden = try RecipeGolden.read().uncertainty
    let context = Setup(level, threads: 2).context
    let uncertainty = UncertaintyWeight()
    let set = uncertainty.parameters
    set.allocate(on: context, gradients: true)
    set.initialize(seed: 1)
    #expect(uncertainty.levels(of: golden.sigma).values.allSatisfy { $0 == 0 }, "it starts at 0")
    let (weight, bias) = (set.parameters[0], set.parameters[1])
    let start = RecipeGolden.walk(128, 7).map { Float(0.1 * Double($0)) }
    weight.value.copy(from: Tensor(start, [128, 1], on: context))
    bias.value.fill(Float(golden.bias))

    set.beginStep()
    let levels = uncertainty.levels(of: golden.sigma)
    #expect(relativeError(levels.values.map { Float($0) }, golden.u) < 1e-6)
    let share = levels.share(losses: golden.losses, batch: golden.batch)
    levels.tape.backward(from: share)
    #expect(relativeError(share.value, [golden.share]) < 1e-6)
    #expect(relativeError(weight.gradient, golden.weightGradient) < 1e-5)
    #expect(relativeError(bias.gradient, [golden.biasGradient]) < 1e-5)
  }

  /// A weight that has run away is no trap: training skips steps whose loss is not finite.
  @Test func extremes() {
    let context = ComputeContext()
    let uncertainty = UncertaintyWeight()
    uncertainty.parameters.allocate(on: context, gradients: true)
    let draw = NoiseDraw(time: 1, sigma: 1)
    func weight(_ bias: Float) -> Double {
      uncertainty.parameters.parameters[1].value.fill(bias)
      return uncertainty.levels(of: [1]).weighted([draw])[0].weight
    }
    #expect(weight(0) == 1)
    #expect(weight(1e30) == 0 && weight(-1e30) == .infinity && weight(.nan).isNaN)
  }

  /// The network's gradient is that of the sum of L / e^u, and the losses are reported without e^u.
  @Test func theLossIsWeighted() {
    let context = ComputeContext()
    let images = Tensor(values(3 * 48, 1), [3, 4, 4, 3], on: context)
    let noise = Tensor(values(3 * 48, 2), [3, 4, 4, 3], on: context)
    let draws = [0.1, 1, 20].map { NoiseDraw(time: $0, sigma: $0) }
    let edm = EDM()
    func loss(_ draws: [NoiseDraw]) -> (share: Variable, terms: [Double]) {
      edm.loss(images, draws: draws, noise: noise, batch: 3, on: nil) { input, _ in input }
    }
    let uncertainty = UncertaintyWeight()
    uncertainty.parameters.allocate(on: context, gradients: true)
    uncertainty.parameters.parameters[0].value.fill(0.05)
    uncertainty.parameters.parameters[1].value.fill(-0.7)
    let levels = uncertainty.levels(of: draws.map(\.sigma))
    let (plain, weighted) = (loss(draws), loss(levels.weighted(draws)))
    for (with, without) in zip(weighted.terms, plain.terms) {
      #expect(abs(with / without - 1) < 1e-12)
    }
    let expected = zip(plain.terms, levels.values).reduce(0) {
      $0 + $1.0 * PortableMath.exp(-$1.1) / 3
    }
    #expect(relativeError(weighted.share.value, [expected]) < 1e-6)
    #expect(Set(levels.values).count == 3 && abs(expected - plain.terms.reduce(0, +) / 3) > 0.1)
  }
}
