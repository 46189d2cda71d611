import NumericsSupport
import Operators
import TensorCore
import Testing

/// Results do not depend on the number of threads, and an image's do not depend on its batch.
@Suite struct InvarianceTests {
  /// Every operator's results on `images` out of a batch of five.
  private func forward(_ images: Range<Int>, on context: ComputeContext) -> [String: Tensor] {
    let batch = 5
    let x = Tensor(values(batch * 6 * 4 * 12, 1), [batch, 6, 4, 12], on: context)[images]
    let rows = Tensor(values(batch * 12, 2), [batch, 12], on: context)[images]
    let (w, b) = (Tensor(values(12 * 21, 3), [12, 21], on: context), values(21, 4))
    let gain = Tensor(values(12, 6), [12], on: context)
    let table = Tensor(values(9 * 2, 7), [9, 2], on: context)
    let positions = images.map { UInt64($0) }
    var results: [String: Tensor] = [:]
    results["linear"] = LinearOperator.forward(
      x, weight: w, bias: Tensor(b, [21], on: context))
    results["linear of a row"] = LinearOperator.forward(rows, weight: w, bias: nil)
    for kind in ConvolutionTests.kinds {
      let kernel = Tensor(
        values(kind.side * kind.side * 12 * 7, 5), [kind.side, kind.side, 12, 7], on: context)
      let y = ConvolutionOperator.forward(x, weight: kernel, bias: nil, kind: kind)
      results["\(kind)"] = y
      results["\(kind) input gradient"] = ConvolutionOperator.inputGradient(
        y, weight: kernel, kind: kind, inputShape: x.shape)
    }
    let (norm, statistics) = GroupNormOperator.forward(
      x, gamma: gain, beta: gain, groups: 3, epsilon: 1e-6, swish: true)
    results["group norm"] = norm
    results["group norm gradient"] =
      GroupNormOperator.gradient(
        norm, x: x, gamma: gain, beta: gain, statistics: statistics, groups: 3, swish: true
      ).dx
    let (layer, inverse) = LayerNormOperator.forward(x, epsilon: 1e-6)
    results["layer norm"] = layer
    results["layer norm gradient"] = LayerNormOperator.gradient(
      x, y: layer, inverseDeviation: inverse)
    let attention = WindowAttentionOperator(heads: 2, window: 2)
    let out = attention.forward(x, shift: rows, table: table)
    results["attention"] = out
    results["attention gradient"] =
      attention.gradient(out, qkv: x, shift: rows, table: table).dqkv
    results["shift gradient"] =
      attention.gradient(out, qkv: x, shift: rows, table: table).dshift
    results["silu"] = ActivationOperator.silu.forward(x)
    results["gelu"] = ActivationOperator.gelu.gradient(x, x: x)
    results["sum"] = sum(x, x)
    results["scaled"] = scaled(x, by: images.map { Float($0) }, plus: x)
    results["concatenated"] = concatenated(x, x)
    results["dropout"] = DropoutOperator(rate: 0.3, seed: 1, layer: 0, positions: positions)(x)
    let narrow = Tensor(values(batch * 24 * 12, 8), [batch, 6, 4, 12], on: context)[images]
    results["pixel attention"] = PixelAttentionOperator.forward(x, narrow, layer)
    let among = PixelAttentionOperator.gradient(
      scaled(x, by: images.map { Float($0) }), x, narrow, layer)
    results["pixel attention, q"] = among.dq
    results["pixel attention, k"] = among.dk
    results["pixel attention, v"] = among.dv
    results["leaky relu"] = LeakyReLUOperator.forward(x, slope: 0.2)
    let window = ImageWindow(2, stride: 2)
    let pooled = PoolOperator.maximum(x, window)
    results["pool gradient"] = PoolOperator.maximumGradient(pooled, x: x, y: pooled, window)
    let weights = images.map { Double($0 + 1) }
    results["absolute error"] =
      AbsoluteErrorOperator.forward(x, target: layer, weights: weights).gradient
    results["hinge"] = HingeOperator.fake.forward(x, weights: weights).gradient
    results["unit distance"] =
      UnitDistanceOperator.forward(
        x, target: layer, channelWeights: gain, epsilon: 1e-6, weights: weights
      ).gradient
    results["divergence"] =
      GaussianDivergenceOperator.forward(mean: x, logVariance: layer, weights: weights)
      .dlogVariance
    results["squared error"] =
      SquaredErrorOperator.forward(x, target: layer, weights: images.map { Double($0 + 1) })
      .gradient
    return results
  }

  /// Gradients that sum over the batch.
  private func parameterGradients(on context: ComputeContext) -> [String: Tensor] {
    let x = Tensor(values(5 * 6 * 4 * 12, 1), [5, 6, 4, 12], on: context)
    let rows = Tensor(values(5 * 12, 2), [5, 12], on: context)
    let gain = Tensor(values(12, 6), [12], on: context)
    let table = Tensor(values(9 * 2, 7), [9, 2], on: context)
    func written(_ shape: Shape, _ write: (Tensor) -> Void) -> Tensor {
      let tensor = Tensor(shape, on: context)
      write(tensor)
      return tensor
    }
    var results: [String: Tensor] = [:]
    results["linear"] = written([12, 12]) {
      LinearOperator.weightGradient(x, x, into: $0, accumulate: false)
    }
    results["bias"] = written([12]) { LinearOperator.biasGradient(x, into: $0, accumulate: false) }
    for kind in ConvolutionTests.kinds {
      let shape: Shape = [kind.side, kind.side, 12, 7]
      let kernel = Tensor(values(shape.count, 5), shape, on: context)
      let dy = ConvolutionOperator.forward(x, weight: kernel, bias: nil, kind: kind)
      results["\(kind)"] = written(shape) {
        ConvolutionOperator.weightGradient(x, dy, kind: kind, into: $0, accumulate: false)
      }
    }
    let (y, statistics) = GroupNormOperator.forward(
      x, gamma: gain, beta: gain, groups: 3, epsilon: 1e-6, swish: false)
    let shares = GroupNormOperator.gradient(
      y, x: x, gamma: gain, beta: gain, statistics: statistics, groups: 3, swish: false
    ).shares
    results["gain"] = written([12]) {
      GroupNormOperator.parameterGradient(shares, row: 1, into: $0, accumulate: false)
    }
    let attention = WindowAttentionOperator(heads: 2, window: 2)
    let out = attention.forward(x, shift: rows, table: table)
    let tables = attention.gradient(out, qkv: x, shift: rows, table: table).tableShares
    results["table"] = written([9, 2]) {
      attention.tableGradient(tables, into: $0, accumulate: false)
    }
    return results
  }

  @Test(arguments: Setup.levels)
  func threads(_ level: KernelTable.Level) {
    let alone = Setup(level, threads: 1).context
    let (forward, gradients) = (forward(0..<5, on: alone), parameterGradients(on: alone))
    for count in 2...4 {
      let context = Setup(level, threads: count).context
      for (name, result) in self.forward(0..<5, on: context) {
        #expect(result.bits == forward[name]?.bits, "\(name) on \(count) threads")
      }
      for (name, result) in parameterGradients(on: context) {
        #expect(result.bits == gradients[name]?.bits, "\(name) gradient on \(count) threads")
      }
    }
  }

  @Test(arguments: Setup.all)
  func batches(_ setup: Setup) {
    let context = setup.context
    let together = forward(0..<5, on: context)
    for images in [0..<1, 1..<3, 4..<5] {
      for (name, result) in forward(images, on: context) {
        #expect(result.bits == together[name]?[images].bits, "\(name) of images \(images)")
      }
    }
  }

  /// A rank may get no image of a micro-batch: results are empty, sums are zero.
  @Test(arguments: Setup.all)
  func noImages(_ setup: Setup) {
    let context = setup.context
    for (name, result) in forward(0..<0, on: context) { #expect(result.count == 0, "\(name)") }
    let x = Tensor([0, 4, 4, 3], on: context)
    for kind in ConvolutionTests.kinds {
      let gradient = Tensor([kind.side, kind.side, 3, 5], on: context)
      gradient.fill(.nan)
      let dy = ConvolutionOperator.forward(x, weight: gradient, bias: nil, kind: kind)
      ConvolutionOperator.weightGradient(x, dy, kind: kind, into: gradient, accumulate: false)
      #expect(gradient.floats.allSatisfy { $0 == 0 }, "\(kind)")
    }
    let bias = Tensor([3], on: context)
    bias.fill(.nan)
    ConvolutionOperator.biasGradient(x, into: bias, accumulate: false)
    #expect(bias.floats == [0, 0, 0])
  }
}
