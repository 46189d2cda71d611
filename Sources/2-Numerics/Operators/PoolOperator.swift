import CKernels
import TensorCore

/// Max and mean (average) pooling over windows of NHWC images, f32 or bf16. Only max pooling has a
/// gradient, `maximumGradient`.
///
/// Shapes: x [B, H, W, C] -> y [B, H', W', C]. Pixels of the padding do not take part: a mean
/// divides by the number of the window's pixels that lie inside the image.
public enum PoolOperator: Sendable {
  /// The largest value of each window.
  case maximum
  /// The mean of each window.
  case mean

  /// The pool of some channels of images, as new images.
  public func callAsFunction(_ x: ImageChannels, _ window: ImageWindow) -> Tensor {
    let shape = window.outputShape(x.shape, channels: x.range.count)
    let y = Tensor(shape, x.dtype, on: x.images.context)
    self(x, window, into: ImageChannels(y))
    return y
  }

  /// The pool of images, as new images.
  public func callAsFunction(_ x: Tensor, _ window: ImageWindow) -> Tensor {
    self(ImageChannels(x), window)
  }

  /// Writes the pool into some channels of wider images; with `relu`, negative results become 0.
  public func callAsFunction(
    _ x: ImageChannels, _ window: ImageWindow, relu: Bool = false, into y: ImageChannels
  ) {
    invariant(
      x.range.count == y.range.count && x.dtype == y.dtype,
      "pool: x \(x.shape), channels \(x.range), into \(y.shape), channels \(y.range)")
    let geometry = window.geometry(x, into: y)
    let context = x.images.context
    let kernels = context.kernels[x.dtype]
    let zeros = relu ? Tensor(zeros: [y.range.count], on: context) : nil
    context.measured(
      "pool \(window.height)x\(window.width) of \(x.range.count)",
      flops: geometry.positions * window.taps * x.range.count, bytes: x.byteCount + y.byteCount
    ) {
      withElements(x.images, y.images) { from, to in
        withElements(of: zeros) { zeros in
          context.threads.forRanges(of: geometry.positions) { range in
            var g = geometry
            kernels.pool(
              &g, Int64(range.lowerBound), Int64(range.upperBound), from + x.byteOffset,
              self == .mean ? 1 : 0, zeros?.assumingMemoryBound(to: Float.self), to + y.byteOffset)
          }
        }
      }
    }
  }

  /// The gradient of max pooling, for windows that share no pixel: it goes to the first pixel of
  /// each window that equals the maximum. Backward needs x and y.
  public static func maximumGradient(
    _ dy: Tensor, x: Tensor, y: Tensor, _ window: ImageWindow
  ) -> Tensor {
    invariant(
      dy.shape == y.shape && dy.dtype == y.dtype && x.dtype == y.dtype
        && window.stride >= max(window.height, window.width),
      "pool gradient: dy \(dy.shape) \(dy.dtype), y \(y.shape), x \(x.shape), \(window)")
    let geometry = window.geometry(ImageChannels(x), into: ImageChannels(y))
    let context = x.context
    let dx = Tensor(x.shape, x.dtype, on: context)
    let kernels = context.kernels[x.dtype]
    context.measured("pool, gradient", flops: 0, bytes: 2 * x.byteCount + 2 * y.byteCount) {
      dx.withBytes { $0.copyBytes(from: repeatElement(0, count: $0.count)) }  // pixels of no window
      withElements(x, y, dy, dx) { x, y, dy, dx in
        context.threads.forRanges(of: geometry.positions) { range in
          var g = geometry
          kernels.pool_gradient(
            &g, Int64(range.lowerBound), Int64(range.upperBound), x, y, dy, dx)
        }
      }
    }
    return dx
  }

  /// The mean over all pixels of each image (global average pooling): [B, H, W, C] -> [B, C], f32.
  public static func imageMeans(_ x: Tensor) -> Tensor {
    let (images, channels) = (x.shape[0], x.shape.channels)
    invariant(x.shape.rank == 4, "imageMeans: \(x.shape), expected [B, H, W, C]")
    let (pixels, context) = (x.shape[1] * x.shape[2], x.context)
    let y = Tensor([images, channels], on: context)
    let kernels = context.kernels[x.dtype]
    let scale = context.kernels.table.pointee.scale_add
    context.measured("image means", flops: x.count, bytes: x.byteCount) {
      withElements(x, y) { from, to in
        let to = to.assumingMemoryBound(to: Float.self)
        context.threads.forRanges(of: images) { range in
          for image in range {
            let row = to + image * channels
            kernels.column_sums(
              from + image * pixels * channels * x.dtype.size, Int64(pixels), Int64(channels), 0,
              Int64(channels), 0, row)
            scale(1 / Float(pixels), row, nil, 0, Int64(channels), row)
          }
        }
      }
    }
    return y
  }
}
