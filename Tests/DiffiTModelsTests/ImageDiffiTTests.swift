import Autodiff
import DiffiTModels
import NumericsSupport
import TensorCore
import Testing

/// Small networks with labels, augmentation labels, dropout, one to three stages.
enum SmallNetworks {
  static func settings(
    _ channels: [Int], blocks: [Int], resolution: Int = 8, classes: Int = 0, augment: Int = 0,
    dropout: Double = 0
  ) -> ImageDiffiT.Settings {
    var s = ImageDiffiT.Settings()
    (s.resolution, s.channels, s.blocks, s.window) = (resolution, channels, blocks, 4)
    (s.headDim, s.timeDim, s.embedDim) = (8, 24, 16)
    (s.classes, s.augmentLabels, s.dropout) = (classes, augment, dropout)
    return s
  }

  /// Wide enough for the precision to matter.
  static func settings(_ index: Int, for precision: DType) -> ImageDiffiT.Settings {
    var settings = all[index]
    if precision == .bfloat16 { settings.channels = settings.channels.map { 4 * $0 } }
    return settings
  }

  static let all = [
    settings([16], blocks: [1]),
    settings([16, 24], blocks: [1, 2], classes: 3),
    settings([8, 16, 24], blocks: [2, 1, 1], augment: 9, dropout: 0.2),
    settings([16, 16], blocks: [1, 1], classes: 4, augment: 9, dropout: 0.5),
  ]
}

/// A network with random weights everywhere (its last layer starts at zero), and inputs for it.
struct RandomNetwork {
  let network: ImageDiffiT
  let context: ComputeContext
  let batch: Int

  init(
    _ settings: ImageDiffiT.Settings, batch: Int = 3, precision: DType = .float32,
    recomputes: Bool = false, on context: ComputeContext = ComputeContext()
  ) {
    network = ImageDiffiT(settings, precision: precision, recomputes: recomputes)
    (self.context, self.batch) = (context, batch)
    let parameters = network.parameters
    parameters.allocate(on: context, gradients: true)
    parameters.initialize(seed: 1)
    for parameter in parameters.parameters {
      let noise = Tensor(
        values(parameter.count, 100 + parameter.index, scale: 0.2), parameter.shape, on: context)
      parameter.value.copy(
        from: Tensor(
          zip(parameter.value.floats, noise.floats).map { $0 + $1 }, parameter.shape, on: context))
    }
  }

  var settings: ImageDiffiT.Settings { network.settings }

  var images: Tensor {
    let shape = settings.imageShape(batch: batch)
    return Tensor(values(shape.count, 1), shape, on: context)
  }

  func forward(_ images: Range<Int>, on tape: Tape? = nil) -> Variable {
    let x = self.images[images]
    let labels: [Int?] = [1, nil, 0, 2]
    let augment = Tensor(values(4 * 9, 2), [4, 9], on: context)
    return network(
      tape?.constant(x) ?? Variable(x), time: images.map { [-1.5, 0.2, 1.0, -0.4][$0] },
      labels: settings.classes > 0 ? Array(labels[images]) : nil,
      augment: settings.augmentLabels > 0 ? augment[images] : nil)
  }

  /// One reverse pass of the mean square of the output.
  func backward(ready: ((Parameter) -> Void)? = nil) {
    let positions = (0..<batch).map { UInt64($0 + 10) }
    let tape = Tape(dropout: DropoutSource(seed: 4, positions: positions))
    tape.onGradientReady = ready
    let y = forward(0..<batch, on: tape)
    let weights = [Double](repeating: 1 / Double(batch), count: batch)
    tape.backward(from: squaredError(y, images, weights: weights).total)
  }
}

@Suite struct ImageDiffiTTests {
  /// A bucket leaves when its last gradient is ready: they must come in the flat order, each once, and
  /// with nothing left to add.
  @Test(arguments: SmallNetworks.all.indices)
  func gradientsAreReadyInFlatOrder(_ index: Int) {
    let model = RandomNetwork(SmallNetworks.all[index])
    let parameters = model.network.parameters
    parameters.beginStep()
    model.backward()
    let final = parameters.gradients.floats
    #expect(parameters.parameters.allSatisfy { $0.hasGradient })

    parameters.beginStep()
    parameters.gradients.fill(.nan)
    var ready: [String] = []
    var finals = 0
    model.backward { parameter in
      ready.append(parameter.name)
      if parameter.gradient.bits == Array(final[parameter.range]).bits { finals += 1 }
    }
    #expect(ready == parameters.flatOrder.map(\.name))
    #expect(finals == ready.count)
  }

  /// The head starts at zero, so the network does, whatever its input.
  @Test func startsAtZero() {
    let network = ImageDiffiT(SmallNetworks.all[1])
    let context = ComputeContext()
    network.parameters.allocate(on: context, gradients: false)
    network.parameters.initialize(seed: 3)
    let head = network.parameters.parameters.filter { $0.name.hasPrefix("head_conv") }
    #expect(head.count == 2 && head.allSatisfy { $0.value.floats.allSatisfy { $0 == 0 } })
    let shape = network.settings.imageShape(batch: 2)
    let y = network(
      Variable(Tensor(values(shape.count, 1), shape, on: context)), time: [0, 1], labels: [0, nil])
    #expect(y.value.floats.allSatisfy { $0 == 0 })
    #expect(network.parameters.weights.floats.contains { $0 != 0 })
  }

  /// Results do not depend on threads, and an image's do not depend on its batch.
  @Test(arguments: SmallNetworks.all.indices, [DType.float32, .bfloat16])
  func bitsDependOnNothingElse(_ index: Int, _ precision: DType) {
    let model = RandomNetwork(
      SmallNetworks.settings(index, for: precision), precision: precision)
    let together = model.forward(0..<3).value
    #expect(together.floats.allSatisfy { $0.isFinite } && together.floats.contains { $0 != 0 })
    for image in 0..<3 {
      let alone = model.forward(image..<image + 1).value
      #expect(alone.bits == together[image..<image + 1].bits)
    }
    model.network.parameters.beginStep()
    model.backward()
    let plain = RandomNetwork(SmallNetworks.settings(index, for: precision)).forward(0..<3).value
    #expect((plain.bits == together.bits) == (precision == .float32))
    for threads in [2, 3, 4] {
      let threaded = RandomNetwork(
        SmallNetworks.settings(index, for: precision), precision: precision,
        on: try! ComputeContext(threadCount: threads))
      #expect(threaded.forward(0..<3).value.bits == together.bits)
      threaded.network.parameters.beginStep()
      threaded.backward()
      #expect(
        threaded.network.parameters.gradients.bits == model.network.parameters.gradients.bits)
    }
  }

  /// The same at every level, with widths that fill tiles.
  @Test(arguments: Setup.levels)
  func bitsOfWideNetworks(_ level: KernelTable.Level) {
    var settings = SmallNetworks.settings([32, 64], blocks: [1, 1], dropout: 0.2)
    settings.headDim = 32
    func run(_ setup: Setup) -> (output: [UInt32], gradients: [UInt32]) {
      let model = RandomNetwork(settings, precision: .bfloat16, on: setup.context)
      model.network.parameters.beginStep()
      model.backward()
      let together = model.forward(0..<3).value
      for image in 0..<3 {
        #expect(model.forward(image..<image + 1).value.bits == together[image..<image + 1].bits)
      }
      return (together.bits, model.network.parameters.gradients.bits)
    }
    let one = run(Setup(level, threads: 1))
    for threads in [2, 3] {
      let many = run(Setup(level, threads: threads))
      #expect(many.output == one.output && many.gradients == one.gradients)
    }
  }

  /// Recomputation changes no bit and no order, and keeps less between forward and backward.
  @Test(arguments: SmallNetworks.all.indices, [DType.float32, .bfloat16])
  func recomputation(_ index: Int, _ precision: DType) {
    func run(_ recomputes: Bool) -> (gradients: [UInt32], ready: [String], kept: Int) {
      let model = RandomNetwork(
        SmallNetworks.settings(index, for: precision), precision: precision,
        recomputes: recomputes)
      model.network.parameters.beginStep()
      var ready: [String] = []
      model.backward { ready.append($0.name) }
      let before = model.context.memory.liveBytes
      let tape = Tape(dropout: DropoutSource(seed: 4, positions: [10, 11, 12]))
      let y = model.forward(0..<3, on: tape)
      let kept = model.context.memory.liveBytes - before
      withExtendedLifetime((tape, y)) {}
      return (model.network.parameters.gradients.bits, ready, kept)
    }
    let (plain, again) = (run(false), run(true))
    #expect(again.gradients == plain.gradients)
    #expect(again.ready == plain.ready)
    #expect(2 * again.kept < plain.kept, "\(again.kept) of \(plain.kept) bytes")
  }

  /// Panels that were kept for other weights are not used.
  @Test func heldWeightsCanBeExchanged() {
    let model = RandomNetwork(SmallNetworks.all[1])
    let parameters = model.network.parameters
    let own = model.forward(0..<3).value
    let other = Tensor(
      parameters.weights.floats.map { 0.5 * $0 }, [parameters.flatCount], on: model.context)
    let expected = parameters.withWeights(other) { model.forward(0..<3).value }
    #expect(expected.bits != own.bits)
    parameters.withPackedWeights {
      #expect(model.forward(0..<3).value.bits == own.bits)
      parameters.withWeights(other) {
        #expect(model.forward(0..<3).value.bits == expected.bits)
        parameters.withPackedWeights {
          for _ in 0..<2 { #expect(model.forward(0..<3).value.bits == expected.bits) }
        }
      }
      #expect(model.forward(0..<3).value.bits == own.bits)
    }
  }

  /// The conditions reach the output.
  @Test func conditionsMatter() {
    let model = RandomNetwork(SmallNetworks.all[3], batch: 1)
    let augment = Tensor(values(9, 2), [1, 9], on: model.context)
    func output(_ cNoise: Double, _ label: Int?, _ augment: Tensor?) -> [Float] {
      model.network(
        Variable(model.images), time: [cNoise], labels: [label], augment: augment
      ).value.floats
    }
    let outputs = [
      output(0, 1, augment), output(0.5, 1, augment), output(0, 2, augment),
      output(0, nil, augment), output(0, 1, nil),
    ]
    #expect(Set(outputs).count == outputs.count)
    // No labels at all is no label.
    let unlabelled = model.network(
      Variable(model.images), time: [0], augment: augment
    ).value.floats
    #expect(unlabelled == outputs[3])
    // All-zero augmentation labels are none: the layer has no bias.
    #expect(output(0, 1, Tensor(zeros: [1, 9], on: model.context)) == outputs[4])
  }

  /// The gradient of a whole network against a central difference along a random direction, in f32.
  @Test(arguments: SmallNetworks.all.indices)
  func directionalDerivative(_ index: Int) {
    var settings = SmallNetworks.all[index]
    settings.dropout = 0
    let model = RandomNetwork(settings, on: try! ComputeContext(threadCount: 2))
    let parameters = model.network.parameters
    parameters.beginStep()
    model.backward()
    let gradients = parameters.gradients.floats.wide
    let start = parameters.weights.floats
    let direction = values(start.count, 77)
    func loss(_ step: Float) -> Double {
      let moved = Tensor(
        zip(start, direction).map { $0 + step * $1 }, [start.count], on: model.context)
      return parameters.withWeights(moved) {
        squaredError(
          model.forward(0..<3), model.images, weights: [Double](repeating: 1.0 / 3, count: 3)
        ).terms.reduce(0, +)
      }
    }
    let expected = zip(gradients, direction).reduce(0) { $0 + $1.0 * Double($1.1) }
    // Richardson's extrapolation takes the third derivative out, so that the step can be large.
    let h: Float = 1.0 / 2048
    let wide = (loss(2 * h) - loss(-2 * h)) / Double(4 * h)
    let narrow = (loss(h) - loss(-h)) / Double(2 * h)
    let derivative = (4 * narrow - wide) / 3
    #expect(abs(derivative - expected) < 2e-3 * abs(expected), "\(derivative) \(expected)")
  }

  @Test func memoryFallsBack() {
    let model = RandomNetwork(SmallNetworks.all[2])
    let memory = model.context.memory
    let start = memory.liveBytes
    model.backward()
    #expect(memory.liveBytes == start)
    // Without a tape only what the next layer needs is alive.
    memory.trim()
    let held = memory.peakBytes
    _ = model.forward(0..<3)
    #expect(memory.liveBytes == start && memory.peakBytes == held)
  }
}
