import Autodiff
import DiffiTModels
import FixtureSupport
import NumericsSupport
import Operators
import TensorCore
import Testing

private let shares = [0.5, 0.5]

@Suite struct PatchDiscriminatorTests {
  private func network(
    _ golden: GoldenFile, precision: DType = .float32
  ) throws -> PatchDiscriminator {
    var settings = PatchDiscriminator.Settings()
    settings.width = 2
    let network = PatchDiscriminator(settings, precision: precision)
    network.parameters.allocate(on: golden.context, gradients: true)
    for parameter in network.parameters.parameters {
      parameter.value.copy(
        from: Tensor(
          try golden.memory("param.\(parameter.name)", parameter), parameter.shape,
          on: golden.context))
    }
    return network
  }

  @Test func matchesPyTorch() throws {
    let golden = try GoldenFile(
      "discriminator.safetensors", on: try! ComputeContext(threadCount: 2))
    let network = try network(golden)
    let (real, fake) = (try golden.images("real"), try golden.images("fake"))
    network.parameters.beginStep()
    let tape = Tape()
    let ofReal = network(tape.constant(real))
    let ofFake = network(tape.constant(fake))
    #expect(worst(ofReal.value, try golden.images("logits_real")) < 1e-5)
    #expect(worst(ofFake.value, try golden.images("logits_fake")) < 1e-5)
    let halves = shares.map { $0 / 2 }
    let losses = [hinge(ofReal, .real, weights: halves), hinge(ofFake, .fake, weights: halves)]
    let loss = losses.flatMap(\.terms).reduce(0, +)
    #expect(abs(loss - Double(try golden.floats("loss")[0])) < 1e-6)
    tape.backward(from: losses[0].total + losses[1].total)
    let gradient = try golden.worstGradient(network.parameters)
    #expect(gradient.error < 1e-4, "\(gradient)")
  }

  /// The gradient at the image alone: parameters are left as they are, and nothing is computed for them.
  @Test func theGeneratorsGradient() throws {
    let profile = OperatorProfile()
    let golden = try GoldenFile("discriminator.safetensors", on: ComputeContext(profile: profile))
    let network = try network(golden)
    network.parameters.beginStep()
    network.parameters.gradients.fill(7)
    let tape = Tape()
    let fake = tape.variable(try golden.images("fake"))
    let loss = hinge(network(fake), .generator, weights: shares)
    #expect(abs(loss.terms.reduce(0, +) - Double(try golden.floats("generator")[0])) < 1e-6)
    var gradient: Tensor?
    profile.record { gradient = tape.gradients(of: loss.total, at: [fake], keepGraph: false)[0] }
    #expect(worst(try #require(gradient), try golden.images("grad_fake")) < 1e-4)
    #expect(network.parameters.gradients.floats.allSatisfy { $0 == 7 })
    #expect(network.parameters.parameters.allSatisfy { !$0.hasGradient })
    #expect(!profile.entries.isEmpty)
    #expect(
      !profile.entries.keys.contains { $0.contains("weight gradient") || $0 == "column sums" })
  }

  /// Logits of an image do not depend on its batch.
  @Test(arguments: [DType.float32, .bfloat16])
  func imagesAreApart(_ precision: DType) throws {
    let context = ComputeContext()
    let network = PatchDiscriminator(precision: precision)
    network.parameters.allocate(on: context, gradients: false)
    network.parameters.initialize(seed: 2)
    let x = Tensor(values(2 * 32 * 32 * 3, 1), [2, 32, 32, 3], on: context)
    let both = network(Variable(x)).value
    #expect(both.shape == [2, 2, 2, 1])
    #expect(network(Variable(x[1..<2])).value.bits == both[1..<2].bits)
    #expect(Set(both.bits).count > 4)
    let deviation = network.parameters.parameters[2].value.floats
    let square = deviation.reduce(0.0) { $0 + Double($1 * $1) } / Double(deviation.count)
    #expect(abs(square.squareRoot() - 0.02) < 1e-3)
  }

  @Test func countedOperations() {
    let profile = OperatorProfile()
    let context = ComputeContext(profile: profile)
    let network = PatchDiscriminator()
    network.parameters.allocate(on: context, gradients: false)
    let x = Tensor(zeros: [1, 64, 64, 3], on: context)
    profile.record { _ = network(Variable(x)) }
    let reported = profile.entries.values.reduce(0) { $0 + $1.flops }
    #expect(reported == network.settings.forwardFlops(resolution: 64))
    var settings = network.settings
    #expect(settings.leastResolution == 24 && settings.problem == nil)
    settings.layers = 0
    #expect(settings.problem != nil)
  }
}
