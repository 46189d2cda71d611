import CKernels
import TensorCore

/// Group norm over NHWC images, with Swish fused where asked for (Wu and He, arXiv:1803.08494).
///
/// Shapes: x [B, H, W, C], gamma and beta [C]. Backward needs x and the statistics [B, 2, C] (mean and
/// 1 / standard deviation, repeated over each group). Statistics: two passes, biased variance.
public enum GroupNormOperator {
  public static func forward(
    _ x: Tensor, gamma: Tensor, beta: Tensor, groups: Int, epsilon: Float, swish: Bool
  ) -> (y: Tensor, statistics: Tensor) {
    let (images, channels) = (x.shape[0], x.shape.channels)
    let rows = x.count / max(images * channels, 1)
    invariant(
      groups > 0 && channels % groups == 0 && gamma.count == channels && beta.count == channels,
      "groupNorm: x \(x.shape), \(groups) groups, gamma \(gamma.shape), beta \(beta.shape)")
    let engine = x.engine
    let y = Tensor(x.shape, on: engine)
    let statistics = Tensor([images, 2, channels], on: engine)
    let scratch = Tensor([images, channels], on: engine)
    withFloats(gamma, beta, scratch) { gamma, beta, scratch in
      withFloats(x, y, statistics) { x, y, statistics in
        engine.threads.forRanges(of: images) { range in
          for image in range {
            engine.kernels.table.pointee.group_norm(
              x + image * rows * channels, Int64(rows), Int64(channels), Int64(groups), gamma, beta,
              epsilon, swish ? 1 : 0, statistics + image * 2 * channels,
              scratch + image * channels, y + image * rows * channels)
          }
        }
      }
    }
    return (y, statistics)
  }

  /// Gradient of x, and each image's share [B, 2, C] of the gradients of beta and gamma, to be summed
  /// over images by `parameterGradient`.
  public static func gradient(
    _ dy: Tensor, x: Tensor, gamma: Tensor, beta: Tensor, statistics: Tensor, groups: Int,
    swish: Bool
  ) -> (dx: Tensor, shares: Tensor) {
    invariant(dy.shape == x.shape, "groupNorm gradient: dy \(dy.shape), x \(x.shape)")
    let (images, channels) = (x.shape[0], x.shape.channels)
    let rows = x.count / max(images * channels, 1)
    let engine = x.engine
    let dx = Tensor(x.shape, on: engine)
    let shares = Tensor([images, 2, channels], on: engine)
    let scratch = Tensor([images, 2, channels], on: engine)
    withFloats(x, dy, dx, shares) { x, dy, dx, shares in
      withFloats(gamma, beta, statistics, scratch) { gamma, beta, statistics, scratch in
        engine.threads.forRanges(of: images) { range in
          for image in range {
            engine.kernels.table.pointee.group_norm_gradient(
              x + image * rows * channels, dy + image * rows * channels, Int64(rows),
              Int64(channels), Int64(groups), gamma, beta, swish ? 1 : 0,
              statistics + image * 2 * channels, scratch + image * 2 * channels,
              shares + image * 2 * channels, dx + image * rows * channels)
          }
        }
      }
    }
    return (dx, shares)
  }

  /// One row of each image's shares (0: beta, 1: gamma), summed over images in their order.
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
/// Shapes: x [..., C] -> y [..., C]. Backward needs y and 1 / standard deviation [rows].
public enum LayerNormOperator {
  public static func forward(_ x: Tensor, epsilon: Float) -> (y: Tensor, inverseDeviation: Tensor) {
    let (rows, channels) = (x.shape.rows, x.shape.channels)
    let y = Tensor(x.shape, on: x.engine)
    let inverse = Tensor([rows], on: x.engine)
    let engine = x.engine
    withFloats(x, y, inverse) { x, y, inverse in
      engine.threads.forRanges(of: rows, grain: 16) { range in
        engine.kernels.table.pointee.layer_norm(
          x, Int64(channels), Int64(range.lowerBound), Int64(range.upperBound), epsilon, inverse, y)
      }
    }
    return (y, inverse)
  }

  public static func gradient(_ dy: Tensor, y: Tensor, inverseDeviation: Tensor) -> Tensor {
    invariant(dy.shape == y.shape, "layerNorm gradient: dy \(dy.shape), y \(y.shape)")
    let (rows, channels) = (y.shape.rows, y.shape.channels)
    let dx = Tensor(y.shape, on: y.engine)
    let engine = y.engine
    withFloats(dy, y, inverseDeviation, dx) { dy, y, inverse, dx in
      engine.threads.forRanges(of: rows, grain: 16) { range in
        engine.kernels.table.pointee.layer_norm_gradient(
          y, inverse, dy, Int64(channels), Int64(range.lowerBound), Int64(range.upperBound), dx)
      }
    }
    return dx
  }
}
