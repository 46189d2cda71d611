import Autodiff
import Checkpoints
import DiffiTModels
import Foundation
import NumericsSupport
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
    let golden = try GoldenFile("discriminator.safetensors", on: ComputeContext(threadCount: 2))
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

@Suite struct PerceptualDistanceTests {
  private static var settings: PerceptualDistance.Settings {
    var settings = PerceptualDistance.Settings()
    settings.channels = [4, 6, 8, 8, 9]
    return settings
  }
  private static let weights = GoldenFile.folder.appendingPathComponent("lpips.safetensors")

  @Test(arguments: KernelTable.Level.allCases.filter { KernelTable($0) != nil })
  func matchesPyTorch(_ level: KernelTable.Level) throws {
    let context = ComputeContext(threadCount: 2, kernels: try #require(KernelTable(level)))
    let golden = try GoldenFile("lpips-golden.safetensors", on: context)
    let distance = try PerceptualDistance(
      weights: Self.weights, settings: Self.settings, on: context)
    let (x, y) = (try golden.images("x"), try golden.images("y"))
    let weights = [0.5, 2.0]
    for _ in 0..<2 {  // panels are made by the first
      let tape = Tape()
      let variable = tape.variable(x)
      let loss = distance(variable, y, weights: weights)
      let terms = zip(loss.terms, weights).map { Float($0 / $1) }
      #expect(relativeError(terms, try golden.floats("distances").wide) < 1e-5)
      #expect(abs(Double(loss.total.value.floats[0]) - loss.terms.reduce(0, +)) < 1e-5)
      let dx = tape.gradients(of: loss.total, at: [variable])[0]
      #expect(worst(try #require(dx), try golden.images("grad_x")) < 1e-4)
    }
    let same = distance(Variable(x), x, weights: weights)
    #expect(same.terms == [0, 0] && same.total.tape == nil)
  }

  @Test func bitsDependOnNothingElse() throws {
    func gradient(_ threads: Int, _ images: Range<Int>) throws -> (terms: [Double], dx: [UInt32]) {
      let context = ComputeContext(threadCount: threads)
      let golden = try GoldenFile("lpips-golden.safetensors", on: context)
      let distance = try PerceptualDistance(
        weights: Self.weights, settings: Self.settings, on: context)
      let tape = Tape()
      let x = tape.variable(try golden.images("x")[images])
      let loss = distance(x, try golden.images("y")[images], weights: images.map { _ in 1 })
      return (loss.terms, tape.gradients(of: loss.total, at: [x])[0]?.bits ?? [])
    }
    let both = try gradient(1, 0..<2)
    let three = try gradient(3, 0..<2)
    #expect(three.dx == both.dx && three.terms == both.terms)
    let second = try gradient(2, 1..<2)
    #expect(second.terms == [both.terms[1]] && second.dx == Array(both.dx.suffix(second.dx.count)))
  }

  @Test func filesOfOtherNetworks() throws {
    do {
      _ = try PerceptualDistance(weights: Self.weights, on: ComputeContext())
      Issue.record("read without complaint")
    } catch {
      guard
        case CheckpointError.modelMismatch(_, let missing, let unexpected, let misshaped) = error
      else {
        Issue.record("\(error)")
        return
      }
      #expect(missing.isEmpty && unexpected.isEmpty)
      #expect(misshaped.contains("lin0.weight [4] where [64] is expected"))
    }
    #expect(throws: CheckpointError.self) {
      _ = try PerceptualDistance(
        weights: Self.weights.appendingPathExtension("none"), on: ComputeContext())
    }
  }

  @Test func layersAreVGGs() {
    let names = PerceptualDistance().parameters.parameters.map(\.name)
    #expect(
      names.filter { $0.hasSuffix(".bias") }.map { $0.dropFirst(9).dropLast(5) }
        == ["0", "2", "5", "7", "10", "12", "14", "17", "19", "21", "24", "26", "28"])
    #expect(PerceptualDistance.Settings().forwardFlops(resolution: 224) == 30_693_261_312)
  }
}
