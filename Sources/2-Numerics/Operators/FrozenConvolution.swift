import CKernels
import TensorCore

/// A convolution of any window whose weights never change, with bias and ReLU: a layer of a network that
/// is used and not trained. The panels that products read are made once, and the weights forgotten.
///
/// Shapes: x [B, H, W, K], w [h, w, K, N], b [N] -> y [B, H', W', N]. f32; an element's sum is one chain
/// in the order of window and channels, so that a pixel's bits depend on its window alone.
public struct FrozenConvolution: Sendable {
  public let window: ImageWindow
  public let inputs: Int
  public let outputs: Int
  private let panels: Tensor
  private let bias: Tensor?
  /// What ReLU raises a channel to: 0, or -infinity where none follows.
  private let least: Tensor?

  /// - Parameters:
  ///   - weights: [h, w, K, N], row by row.
  ///   - relu: how many channels, from the first, a ReLU follows; all where it is not given.
  public init(
    _ window: ImageWindow, inputs: Int, outputs: Int, weights: [Float], bias: [Float]?,
    relu: Int? = nil, on context: ComputeContext
  ) {
    let rectified = relu ?? outputs
    invariant(
      weights.count == window.taps * inputs * outputs && bias.map { $0.count == outputs } ?? true
        && (0...outputs).contains(rectified) && inputs <= Int(DK_MAX_GATHERED_CHANNELS),
      "FrozenConvolution: \(inputs) to \(outputs), \(weights.count) weights, ReLU \(rectified)")
    (self.window, self.inputs, self.outputs) = (window, inputs, outputs)
    // One tap of all rows has the panels of many taps, where no vector is filled up: f32 never is.
    panels = Weight(Tensor(weights, [window.taps, inputs, outputs], on: context)).packed(
      .float32, taps: window.taps, k: inputs, n: outputs, transposed: false)
    self.bias = bias.map { Tensor($0, [outputs], on: context) }
    least =
      rectified == 0
      ? nil
      : Tensor(
        (0..<outputs).map { $0 < rectified ? 0 : -.infinity }, [outputs], on: context)
  }

  /// The result as images of its own.
  public func callAsFunction(_ x: ImageChannels) -> Tensor {
    let y = Tensor(window.outputShape(x.shape, channels: outputs), on: x.images.context)
    self(x, into: ImageChannels(y))
    return y
  }

  public func callAsFunction(_ x: Tensor) -> Tensor { self(ImageChannels(x)) }

  /// Writes the result into channels of wider images.
  public func callAsFunction(_ x: ImageChannels, into y: ImageChannels) {
    let context = x.images.context
    invariant(
      x.range.count == inputs && y.range.count == outputs && x.dtype == .float32
        && y.dtype == .float32 && context.kernels.level == panels.context.kernels.level,
      "FrozenConvolution \(inputs) to \(outputs): x \(x.shape), y \(y.shape)")
    let geometry = window.joined(x, window.geometry(x, into: y))
    let kernels = context.kernels[.float32]
    context.measured(
      "frozen \(window.height)x\(window.width) \(inputs) to \(outputs)", flops: geometry.flops,
      bytes: x.byteCount + panels.byteCount + y.byteCount
    ) {
      withElements(x.images, panels, y.images) { from, panels, to in
        withElements(of: bias, least, nil, nil) { bias, least, _, _ in
          let epilogue = dk_epilogue(
            bias: bias.map { UnsafePointer($0.assumingMemoryBound(to: Float.self)) },
            least: least.map { UnsafePointer($0.assumingMemoryBound(to: Float.self)) },
            addend: nil, activated: nil, output: DK_F32)
          let grain = Int(kernels.product_grain)
          context.threads.forRanges(of: geometry.positions, grain: grain) { range in
            var (g, epilogue) = (geometry, epilogue)
            kernels.product(
              &g, Int64(range.lowerBound), Int64(range.upperBound), from + x.byteOffset, panels,
              &epilogue, to + y.byteOffset)
          }
        }
      }
    }
  }
}
