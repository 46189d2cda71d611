import Autodiff
import DiffiTModels
import NumericsSupport
import TensorCore
import Testing

/// A network with random weights, and inputs for it.
struct RandomVAE {
  let vae: VAE
  let context: ComputeContext

  static func settings(_ channels: [Int], groups: Int = 4, blocks: Int = 1) -> VAE.Settings {
    var s = VAE.Settings()
    (s.resolution, s.channels, s.groups, s.layers) = (16, channels, groups, blocks)
    return s
  }

  init(
    _ settings: VAE.Settings, precision: DType = .float32, recomputes: Bool = false,
    on context: ComputeContext = ComputeContext()
  ) {
    self.context = context
    vae = VAE(settings, precision: precision, recomputes: recomputes)
    vae.parameters.allocate(on: context, gradients: true)
    vae.parameters.initialize(seed: 5)
  }

  func images(_ batch: Int, side: Int = 16) -> Tensor {
    let shape: Shape = [batch, side, side, 3]
    return Tensor(values(shape.count, 1), shape, on: context)
  }

  func noise(_ batch: Int) -> Tensor {
    let shape = vae.settings.latentShape(batch: batch)
    return Tensor(values(shape.count, 2, scale: 2), shape, on: context)
  }

  func forward(_ x: Variable, noise: Tensor) -> (loss: Variable, image: Variable) {
    let shares = [Double](repeating: 0.5, count: x.shape[0])
    let (mean, log) = vae.encode(x)
    let image = vae.decode(vae.sample(mean, log, noise: noise))
    let error = absoluteError(image, x.value, weights: shares).total
    return (error + gaussianDivergence(mean, log, weights: shares.map { $0 * 1e-3 }).total, image)
  }

  func backward(_ batch: Int, ready: ((Parameter) -> Void)? = nil) {
    let tape = Tape()
    tape.onGradientReady = ready
    tape.backward(from: forward(tape.constant(images(batch)), noise: noise(batch)).loss)
  }
}

@Suite struct VAETests {
  static let settings = [
    RandomVAE.settings([8]), RandomVAE.settings([8, 16], blocks: 2),
    RandomVAE.settings([32, 64, 32], groups: 32),
  ]

  @Test(arguments: settings.indices)
  func gradientsAreReadyInFlatOrder(_ index: Int) {
    let model = RandomVAE(Self.settings[index])
    let parameters = model.vae.parameters
    parameters.beginStep()
    model.backward(2)
    let final = parameters.gradients.floats
    parameters.beginStep()
    parameters.gradients.fill(.nan)
    var (ready, finals): ([String], Int) = ([], 0)
    model.backward(2) { parameter in
      ready.append(parameter.name)
      if parameter.gradient.bits == Array(final[parameter.range]).bits { finals += 1 }
    }
    #expect(ready == parameters.flatOrder.map(\.name))
    #expect(finals == ready.count)
  }

  @Test(arguments: settings.indices, [DType.float32, .bfloat16])
  func bitsDependOnNothingElse(_ index: Int, _ precision: DType) {
    let model = RandomVAE(Self.settings[index], precision: precision)
    let (x, noise) = (model.images(3), model.noise(3))
    let together = model.forward(Variable(x), noise: noise).image.value
    #expect(together.floats.allSatisfy { $0.isFinite })
    for image in 0..<3 {
      let range = image..<image + 1
      let alone = model.forward(Variable(x[range]), noise: noise[range]).image.value
      #expect(alone.bits == together[range].bits)
    }
    model.vae.parameters.beginStep()
    model.backward(3)
    let isWide = Self.settings[index].channels[0] >= 32
    let plain = RandomVAE(Self.settings[index]).forward(Variable(x), noise: noise).image.value
    #expect((plain.bits == together.bits) == (precision == .float32 || !isWide))
    #expect(relativeError(together, plain.floats.wide) < 3e-2)
    for threads in [2, 3] {
      let other = RandomVAE(
        Self.settings[index], precision: precision, on: try! ComputeContext(threadCount: threads))
      #expect(
        other.forward(Variable(other.images(3)), noise: other.noise(3)).image.value.bits
          == together.bits)
      other.vae.parameters.beginStep()
      other.backward(3)
      #expect(other.vae.parameters.gradients.bits == model.vae.parameters.gradients.bits)
    }
  }

  @Test(arguments: settings.indices, [DType.float32, .bfloat16])
  func recomputation(_ index: Int, _ precision: DType) {
    func run(_ recomputes: Bool) -> [UInt32] {
      let model = RandomVAE(Self.settings[index], precision: precision, recomputes: recomputes)
      model.vae.parameters.beginStep()
      model.backward(2)
      return model.vae.parameters.gradients.bits
    }
    #expect(run(true) == run(false))
  }

  /// What a forward pass keeps is what the settings say, within a tenth.
  @Test(arguments: [DType.float32, .bfloat16], [false, true])
  func savedBytes(_ precision: DType, _ recomputes: Bool) {
    var settings = RandomVAE.settings([32, 64, 64], groups: 32, blocks: 2)
    settings.resolution = 64
    let model = RandomVAE(settings, precision: precision, recomputes: recomputes)
    let (x, noise) = (model.images(2, side: 64), model.noise(2))
    let before = model.context.memory.liveBytes
    let tape = Tape()
    let (mean, log) = model.vae.encode(tape.constant(x))
    let image = model.vae.decode(model.vae.sample(mean, log, noise: noise))
    let kept = model.context.memory.liveBytes - before - image.value.byteCount
    let expected = 2 * settings.cost(precision: precision, recomputes: recomputes).savedBytes
    withExtendedLifetime((tape, mean, log, image)) {}
    #expect(abs(kept - expected) < expected / 10, "\(kept) bytes, \(expected) expected")
  }

  /// The counted operations are those that the operators report.
  @Test func forwardFlops() {
    let settings = RandomVAE.settings([8, 16], blocks: 2)
    let profile = OperatorProfile()
    let model = RandomVAE(settings, on: ComputeContext(profile: profile))
    let (x, noise) = (model.images(2), model.noise(2))
    profile.record { _ = model.forward(Variable(x), noise: noise) }
    let reported = profile.entries.values.reduce(0) { $0 + $1.flops }
    let counted = 2 * settings.cost().forwardFlops
    #expect(reported == counted, "\(reported) operations, \(counted) counted")
  }

  /// Two image gradients' parts of the last layer's gradient, without two reverse passes.
  @Test func lastLayerGradient() throws {
    let model = RandomVAE(Self.settings[1])
    let z = model.noise(2)
    let (tape, parameters) = (Tape(), model.vae.parameters)
    let (hidden, image) = model.vae.decodeInParts(tape.constant(z))
    let slopes = [3, 4].map {
      Tensor(values(image.value.count, $0), image.shape, on: model.context)
    }
    var parts: [Double] = []
    for slope in slopes {
      let gradient = Tensor(model.vae.lastLayer.shape, on: model.context)
      model.vae.lastLayerGradient(
        hidden: hidden.value, image: slope, into: gradient, accumulate: false)
      parts =
        parts.isEmpty ? gradient.floats.wide : zip(parts, gradient.floats).map { $0 + Double($1) }
    }
    parameters.beginStep()
    tape.backward(from: image, seed: sum(slopes[0], slopes[1], on: model.context))
    #expect(model.vae.lastLayer.name == "decoder.conv_out.weight")
    #expect(relativeError(model.vae.lastLayer.gradient, parts) < 1e-5)
  }

  private func sum(_ a: Tensor, _ b: Tensor, on context: ComputeContext) -> Tensor {
    Tensor(zip(a.floats, b.floats).map { $0 + $1 }, a.shape, on: context)
  }

  @Test func settingsThatDoNotFit() {
    var settings = VAE.Settings()
    #expect(settings.problem == nil && settings.factor == 8 && settings.latentSide == 32)
    settings.channels = [96, 120]
    #expect(settings.problem?.description.contains("32 groups in 120 channels") == true)
    #expect(VAE.Settings.largestGroups(channels: settings.channels) == 24)
    settings.groups = 24
    #expect(settings.problem == nil)
    settings.resolution = 33
    #expect(settings.problem?.description.contains("33 pixels") == true)
    settings.channels = []
    #expect(settings.problem != nil)
  }

  @Test func parameterCount() {
    #expect(VAE(VAE.Settings()).parameters.parameterCount == 83_653_863)
  }
}
