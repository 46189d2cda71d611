import CKernels
import TensorCore

/// A convolution with any window, bias and ReLU whose weights never change: a layer of a network
/// that is used but not trained. The weights are packed once and then dropped.
///
/// Shapes: x [B, H, W, K], w [h, w, K, N], b [N] -> y [B, H', W', N], f32. Each element is one
/// chain of additions in the order of window and channels, so the bits of a pixel depend only on
/// its window.
public struct FrozenConvolution: Sendable {
  /// The windows that the output pixels see.
  public let window: ImageWindow
  /// K, the channels of the input.
  public let inputs: Int
  /// N, the channels of the output.
  public let outputs: Int
  private let panels: Tensor
  private let bias: Tensor?
  /// The lower bound of each output channel: 0 for a channel with ReLU, else -infinity; nil if no
  /// channel has ReLU.
  private let least: Tensor?

  /// Packs the weights.
  ///
  /// - Parameters:
  ///   - window: the windows that the output pixels see.
  ///   - inputs: K.
  ///   - outputs: N.
  ///   - weights: [h, w, K, N], row by row.
  ///   - bias: [N]; nil for none.
  ///   - relu: how many channels, counted from the first, are followed by a ReLU; by default all.
  ///   - context: what the convolution will run on.
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
    // In f32 no vector of the reduction is padded, so one tap of a whole window row has the same
    // packed weights as its pixels one by one.
    panels = Weight(Tensor(weights, [window.taps, inputs, outputs], on: context)).packed(
      .float32, taps: window.taps, k: inputs, n: outputs, transposed: false)
    self.bias = bias.map { Tensor($0, [outputs], on: context) }
    least =
      rectified == 0
      ? nil
      : Tensor(
        (0..<outputs).map { $0 < rectified ? 0 : -.infinity }, [outputs], on: context)
  }

  /// The convolution of some channels of images, as new images.
  public func callAsFunction(_ x: ImageChannels) -> Tensor {
    let y = Tensor(window.outputShape(x.shape, channels: outputs), on: x.images.context)
    self(x, into: ImageChannels(y))
    return y
  }

  /// The convolution of images, as new images.
  public func callAsFunction(_ x: Tensor) -> Tensor { self(ImageChannels(x)) }

  /// Writes the convolution into some channels of wider images.
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
