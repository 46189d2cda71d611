import CKernels
import TensorCore

// Losses of images. Each takes one weight per image, returns one term per image in f64, and
// computes the gradient in the same pass. The weights are shares of a mean over the global batch,
// so that results do not depend on how the batch is split.

/// The mean absolute error (L1) per image: the sum over images of weight[b] mean(|x[b] - y[b]|).
/// The slope is 0 where both are equal.
///
/// Shapes: x, y [B, ...], weights [B].
public enum AbsoluteErrorOperator {
  /// The loss and its gradient.
  ///
  /// - Returns: the term of each image, weight included, and the gradient of their sum with respect
  ///   to x.
  public static func forward(
    _ x: Tensor, target: Tensor, weights: [Double]
  ) -> (terms: [Double], gradient: Tensor) {
    invariant(
      x.shape == target.shape && x.shape[0] == weights.count,
      "absoluteError: x \(x.shape), target \(target.shape), \(weights.count) weights")
    let inner = x.count / max(weights.count, 1)
    let gradient = Tensor(x.shape, on: x.context)
    let context = x.context
    let kernel = context.kernels.table.pointee.absolute_error
    let terms = withFloats(x, target, gradient) { x, target, to in
      context.terms(weights) { image in
        let (at, weight) = (image * inner, weights[image] / Double(inner))
        return weight * kernel(x + at, target + at, Float(weight), 0, Int64(inner), to + at)
      }
    }
    return (terms, gradient)
  }
}

/// The KL divergence of N(mean, exp(logVariance)) from N(0, 1), summed over the pixels and channels
/// of each latent: the sum over images of weight[b] sum 0.5 (mean^2 + exp(logVariance) - 1 -
/// logVariance).
///
/// Source: Kingma and Welling, arXiv:1312.6114, appendix B. Shapes: mean, logVariance [B, ...],
/// weights [B].
public enum GaussianDivergenceOperator {
  /// The loss and its gradients.
  ///
  /// - Returns: the term of each image, weight included, and the gradients of their sum.
  public static func forward(
    mean: Tensor, logVariance: Tensor, weights: [Double]
  ) -> (terms: [Double], dmean: Tensor, dlogVariance: Tensor) {
    invariant(
      mean.shape == logVariance.shape && mean.shape[0] == weights.count,
      "divergence: mean \(mean.shape), log variance \(logVariance.shape), \(weights.count) weights")
    let (dmean, dlog) = (Tensor(mean.shape, on: mean.context), Tensor(mean.shape, on: mean.context))
    let inner = mean.count / max(weights.count, 1)
    let context = mean.context
    let terms = withFloats(mean, logVariance, dmean, dlog) { mean, logVariance, dmean, dlog in
      context.terms(weights) { image in
        let weight = weights[image]
        var sum = 0.0
        for i in image * inner..<(image + 1) * inner {
          let (mu, log) = (Double(mean[i]), Double(logVariance[i]))
          let variance = PortableMath.saturatingExp(log)
          sum += 0.5 * (mu * mu + variance - 1 - log)
          dmean[i] = Float(weight * mu)
          dlog[i] = Float(weight * 0.5 * (variance - 1))
        }
        return weight * sum
      }
    }
    return (terms, dmean, dlog)
  }
}

/// The hinge losses of a discriminator and its generator, on the logits of patches.
///
/// Source: Lim and Ye, arXiv:1705.02894. Shapes: logits [B, ...], weights [B].
public enum HingeOperator: Sendable {
  /// The discriminator's loss on real images: weight[b] mean(max(0, 1 - x)).
  case real
  /// The discriminator's loss on generated images: weight[b] mean(max(0, 1 + x)).
  case fake
  /// The generator's loss: weight[b] mean(-x).
  case generator

  /// The loss and its gradient.
  ///
  /// - Returns: the term of each image, weight included, and the gradient of their sum with respect
  ///   to the logits.
  public func forward(
    _ logits: Tensor, weights: [Double]
  ) -> (terms: [Double], gradient: Tensor) {
    invariant(
      logits.shape[0] == weights.count, "hinge: \(logits.shape), \(weights.count) weights")
    let (context, inner) = (logits.context, logits.count / max(weights.count, 1))
    let gradient = Tensor(logits.shape, on: context)
    let sign: Double = self == .fake ? 1 : -1
    let terms = withFloats(logits, gradient) { logits, gradient in
      context.terms(weights) { image in
        let weight = weights[image] / Double(inner)
        var sum = 0.0
        for i in image * inner..<(image + 1) * inner {
          let value = sign * Double(logits[i]) + (self == .generator ? 0 : 1)
          let isCounted = self == .generator || !(value <= 0)  // NaN counts
          sum += isCounted ? value : 0
          gradient[i] = isCounted ? Float(sign * weight) : 0
        }
        return weight * sum
      }
    }
    return (terms, gradient)
  }
}

/// The distance between features after each pixel's features are scaled to length 1: the sum over
/// images of weight[b] mean over pixels of sum_c w[c] (x / (|x| + eps) - y / (|y| + eps))^2.
///
/// Source: Zhang et al., arXiv:1801.03924, eq. (1), as LPIPS 0.1 computes it. Shapes: x, y [B, H,
/// W, C], w [C], weights [B]. A pixel whose features are all 0 has the gradient 0, since a ReLU
/// before them would pass none.
public enum UnitDistanceOperator {
  /// The loss and its gradient.
  ///
  /// - Returns: the term of each image, weight included, and the gradient of their sum with respect
  ///   to x.
  public static func forward(
    _ x: Tensor, target: Tensor, channelWeights w: Tensor, epsilon: Float, weights: [Double]
  ) -> (terms: [Double], gradient: Tensor) {
    let channels = x.shape.channels
    invariant(
      x.shape == target.shape && w.count == channels && x.shape[0] == weights.count,
      "unitDistance: x \(x.shape), target \(target.shape), w \(w.shape), \(weights.count) weights")
    let context = x.context
    let gradient = Tensor(x.shape, on: context)
    let pixels = x.count / max(weights.count * channels, 1)
    let kernel = context.kernels.table.pointee.unit_distance
    let terms = context.measured("unit distance", flops: 0, bytes: 3 * x.byteCount) {
      withFloats(x, target, w, gradient) { x, target, w, to in
        context.terms(weights) { image in
          let weight = weights[image] / Double(pixels)
          return weight
            * kernel(
              x, target, w, epsilon, Int64(channels), Int64(image * pixels),
              Int64((image + 1) * pixels), Float(weight), to)
        }
      }
    }
    return (terms, gradient)
  }
}

extension ComputeContext {
  /// One number per image, each computed by one thread.
  fileprivate func terms(_ weights: [Double], _ term: (Int) -> Double) -> [Double] {
    var terms = [Double](repeating: 0, count: weights.count)
    terms.withUnsafeMutableBufferPointer { terms in
      threads.forRanges(of: weights.count) { images in
        for image in images { terms[image] = term(image) }
      }
    }
    return terms
  }
}
