import DiffiTModels
import Foundation
import Operators
import TensorCore

/// One operator of the finest stage, forward or backward, measured by itself on 8 images.
struct OperatorTiming: Codable, Sendable {
  let name: String
  /// The best of five.
  let seconds: Double
  let gflopsPerSecond: Double
  /// Over that of the fastest product measured.
  var shareOfPeak = 0.0

  enum CodingKeys: String, CodingKey {
    case name, seconds
    case gflopsPerSecond = "gflops_per_second"
    case shareOfPeak = "share_of_peak"
  }

  var text: String {
    let time = String(format: "%8.2f ms", seconds * 1e3)
    let rate = String(format: "%5.0f GFLOP/s  %3.0f %%", gflopsPerSecond, 100 * shareOfPeak)
    return "\(time)  \(rate)  \(name)"
  }

  /// Norms and activations count 8 operations an element; they are bound by memory.
  static func measure(_ settings: ImageDiffiT.Settings, on engine: Engine) -> [OperatorTiming] {
    let (side, width) = (settings.resolution, settings.channels[0])
    let rows = 8 * side * side
    let x = filled([8, side, side, width], on: engine)
    let wide = filled([8, side, side, 4 * width], on: engine)
    let kernel = filled([3, 3, width, width], on: engine)
    let weight = filled([width, 4 * width], on: engine)
    let dKernel = Tensor(kernel.shape, on: engine)
    let dWeight = Tensor(weight.shape, on: engine)
    let (conv, mlp) = (18 * rows * width * width, 8 * rows * width * width)
    var timings = [
      time("convolution 3x3", conv) {
        _ = ConvolutionOperator.forward(x, weight: Weight(kernel), bias: nil, kind: .same)
      },
      time("convolution 3x3, input gradient", conv) {
        _ = ConvolutionOperator.inputGradient(
          x, weight: Weight(kernel), kind: .same, inputShape: x.shape)
      },
      time("convolution 3x3, weight gradient", conv) {
        ConvolutionOperator.weightGradient(x, x, kind: .same, into: dKernel, accumulate: false)
      },
      time("linear \(width) to \(4 * width)", mlp) {
        _ = LinearOperator.forward(x, weight: Weight(weight), bias: nil)
      },
      time("linear, input gradient", mlp) {
        _ = LinearOperator.inputGradient(wide, weight: Weight(weight))
      },
      time("linear, weight gradient", mlp) {
        LinearOperator.weightGradient(x, wide, into: dWeight, accumulate: false)
      },
    ]
    timings += attention(settings, on: engine)
    let gain = filled([width], on: engine)
    timings += [
      time("group norm with Swish", 8 * x.count) {
        _ = GroupNormOperator.forward(
          x, gamma: gain, beta: gain, groups: 1, epsilon: 1e-6, swish: true)
      },
      time("layer norm", 8 * x.count) { _ = LayerNormOperator.forward(x, epsilon: 1e-6) },
      time("GELU", 8 * wide.count) { _ = ActivationOperator.gelu.forward(wide) },
    ]
    let y = Tensor([rows, 4 * width], on: engine)
    timings.append(
      time("for comparison, the linear product by OpenBLAS on one thread", mlp) {
        OpenBLAS.product(x.reshaped([rows, width]), weight, into: y)
      })
    let peak = timings.map(\.gflopsPerSecond).max() ?? 1
    for index in timings.indices {
      timings[index].shareOfPeak = timings[index].gflopsPerSecond / peak
    }
    return timings
  }

  private static func attention(
    _ settings: ImageDiffiT.Settings, on engine: Engine
  ) -> [OperatorTiming] {
    let (side, width) = (settings.resolution, settings.channels[0])
    let window = min(settings.window, side)
    let attention = WindowAttentionOperator(heads: width / settings.headWidth, window: window)
    let qkv = filled([8, side, side, 3 * width], on: engine)
    let shift = filled([8, 3 * width], on: engine)
    let offsets = (2 * window - 1) * (2 * window - 1)
    let table = filled([offsets, attention.heads], on: engine)
    let out = attention.forward(qkv, shift: shift, table: table)
    let flops = 4 * out.count * window * window
    return [
      time("window attention", flops) {
        _ = attention.forward(qkv, shift: shift, table: table)
      },
      time("window attention, gradient", 5 * flops / 2) {
        _ = attention.gradient(out, qkv: qkv, shift: shift, table: table)
      },
    ]
  }

  private static func filled(_ shape: Shape, on engine: Engine) -> Tensor {
    let tensor = Tensor(shape, on: engine)
    tensor.withFloats {
      RandomStream(seed: 0, .test, substream: 1, position: 0)
        .fillNormals($0, count: shape.count)
    }
    return tensor
  }

  private static func time(_ name: String, _ flops: Int, _ body: () -> Void) -> OperatorTiming {
    body()
    let best =
      (0..<5).map { _ in
        let start = PhaseClock.now
        body()
        return PhaseClock.now - start
      }.min() ?? 0
    return OperatorTiming(
      name: name, seconds: best, gflopsPerSecond: Double(flops) / max(best, 1e-9) / 1e9)
  }
}
