import CKernels
import TensorCore

/// Group norm of NHWC images, optionally followed by Swish in the same pass (Wu and He,
/// arXiv:1803.08494).
///
/// Shapes: x [B, H, W, C], f32, gamma and beta [C] -> y, f32 or bf16. Backward needs x and the
/// statistics [B, 2, C] (mean and 1 / standard deviation, repeated over each group). The statistics
/// take two passes; the variance is biased, that is, divided by the number of elements.
public enum GroupNormOperator {
  /// y = gamma (x - mean) / sqrt(variance + epsilon) + beta per group, then Swish if asked for; and
  /// the statistics.
  public static func forward(
    _ x: Tensor, gamma: Tensor, beta: Tensor, groups: Int, epsilon: Float, swish: Bool,
    output: DType = .float32
  ) -> (y: Tensor, statistics: Tensor) {
    let (images, channels) = (x.shape[0], x.shape.channels)
    let inner = x.count / max(images, 1)
    invariant(
      groups > 0 && channels % groups == 0 && gamma.count == channels && beta.count == channels,
      "groupNorm: x \(x.shape), \(groups) groups, gamma \(gamma.shape), beta \(beta.shape)")
    let context = x.context
    let y = Tensor(x.shape, output, on: context)
    let statistics = Tensor([images, 2, channels], on: context)
    let scratch = Tensor([images, channels], on: context)
    let kernels = context.kernels[output]
    context.measured("group norm", flops: 0, bytes: x.byteCount + y.byteCount) {
      withFloats(gamma, beta, statistics, scratch) { gamma, beta, statistics, scratch in
        x.withFloats { x in
          y.withElements { y in
            context.threads.forRanges(of: images) { range in
              for image in range {
                kernels.group_norm(
                  x + image * inner, Int64(inner / channels), Int64(channels), Int64(groups),
                  gamma, beta, epsilon, swish ? 1 : 0, statistics + image * 2 * channels,
                  scratch + image * channels, y + image * inner * output.size)
              }
            }
          }
        }
      }
    }
    return (y, statistics)
  }

  /// The gradient of x, f32, plus the addend if there is one; and for each image its part [B, 2, C]
  /// of the gradients of beta and gamma, which `parameterGradient` sums over images.
  public static func gradient(
    _ dy: Tensor, x: Tensor, gamma: Tensor, beta: Tensor, statistics: Tensor, groups: Int,
    swish: Bool, plus addend: Tensor? = nil
  ) -> (dx: Tensor, shares: Tensor) {
    invariant(
      dy.shape == x.shape && (addend == nil || addend?.shape == x.shape),
      "groupNorm gradient: dy \(dy.shape), x \(x.shape)")
    let (images, channels) = (x.shape[0], x.shape.channels)
    let inner = x.count / max(images, 1)
    let context = x.context
    let dx = Tensor(x.shape, on: context)
    let shares = Tensor([images, 2, channels], on: context)
    let scratch = Tensor([images, 2, channels], on: context)
    let (kernels, size) = (context.kernels[dy.dtype], dy.dtype.size)
    let streams = addend == nil ? 2 : 3
    context.measured(
      "group norm, gradient", flops: 0, bytes: dy.byteCount + streams * x.byteCount
    ) {
      withFloats(gamma, beta, statistics, scratch) { gamma, beta, statistics, scratch in
        withFloats(x, dx, shares, addend ?? x) { x, dx, shares, added in
          dy.withElements { dy in
            context.threads.forRanges(of: images) { range in
              for image in range {
                kernels.group_norm_gradient(
                  x + image * inner, dy + image * inner * size,
                  addend == nil ? nil : added + image * inner, Int64(inner / channels),
                  Int64(channels), Int64(groups), gamma, beta, swish ? 1 : 0,
                  statistics + image * 2 * channels, scratch + image * 2 * channels,
                  shares + image * 2 * channels, dx + image * inner)
              }
            }
          }
        }
      }
    }
    return (dx, shares)
  }

  /// The gradient of beta (row 0) or gamma (row 1): the parts of all images, added in their order;
  /// with `accumulate` added to `gradient`, [C].
  public static func parameterGradient(
    _ shares: Tensor, row: Int, into gradient: Tensor, accumulate: Bool
  ) {
    let (images, channels) = (shares.shape[0], shares.shape.channels)
    withFloats(shares, gradient) { shares, gradient in
      for c in 0..<channels {
        var sum: Float = 0
        for image in 0..<images { sum += shares[(image * 2 + row) * channels + c] }
        gradient[c] = accumulate ? gradient[c] + sum : sum
      }
    }
  }
}

/// Layer norm over the last axis, without gain or bias (Ba et al., arXiv:1607.06450).
///
/// Shapes: x [..., C], f32 -> y [..., C], f32 or bf16. Backward needs y and 1 / standard deviation
/// [rows].
public enum LayerNormOperator {
  /// y = (x - mean) / sqrt(variance + epsilon) per row, and 1 / standard deviation of each row.
  public static func forward(
    _ x: Tensor, epsilon: Float, output: DType = .float32
  ) -> (y: Tensor, inverseDeviation: Tensor) {
    let (rows, channels) = (x.shape.rows, x.shape.channels)
    let y = Tensor(x.shape, output, on: x.context)
    let inverse = Tensor([rows], on: x.context)
    let context = x.context
    let kernels = context.kernels[output]
    context.measured("layer norm", flops: 0, bytes: x.byteCount + y.byteCount) {
      withFloats(x, inverse) { x, inverse in
        y.withElements { y in
          context.threads.forRanges(of: rows, grain: 16) { range in
            kernels.layer_norm(
              x, Int64(channels), Int64(range.lowerBound), Int64(range.upperBound), epsilon,
              inverse, y)
          }
        }
      }
    }
    return (y, inverse)
  }

  /// The gradient of x, f32, plus the addend if there is one.
  public static func gradient(
    _ dy: Tensor, y: Tensor, inverseDeviation: Tensor, plus addend: Tensor? = nil
  ) -> Tensor {
    invariant(
      dy.shape == y.shape && dy.dtype == y.dtype,
      "layerNorm gradient: dy \(dy.shape) \(dy.dtype), y \(y.shape) \(y.dtype)")
    let (rows, channels) = (y.shape.rows, y.shape.channels)
    let dx = Tensor(y.shape, on: y.context)
    let context = y.context
    let kernels = context.kernels[y.dtype]
    let streams = addend == nil ? 1 : 2
    context.measured(
      "layer norm, gradient", flops: 0, bytes: 2 * y.byteCount + streams * dx.byteCount
    ) {
      withElements(dy, y) { dy, y in
        withFloats(inverseDeviation, dx, addend ?? dx) { inverse, dx, added in
          context.threads.forRanges(of: rows, grain: 16) { range in
            kernels.layer_norm_gradient(
              y, inverse, dy, addend == nil ? nil : added, Int64(channels),
              Int64(range.lowerBound), Int64(range.upperBound), dx)
          }
        }
      }
    }
    return dx
  }
}
