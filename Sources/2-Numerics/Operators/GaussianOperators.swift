import TensorCore

/// The halves of a tensor's channels as mean and log variance, the second one kept within limits.
///
/// Shapes: x [..., 2 C], f32 -> mean and logVariance [..., C]. Backward needs x: outside the limits no
/// gradient passes, on them it does.
public enum GaussianMomentsOperator {
  public static func forward(
    _ x: Tensor, limits: ClosedRange<Float>
  ) -> (mean: Tensor, logVariance: Tensor) {
    let width = x.shape.channels / 2
    invariant(x.shape.channels % 2 == 0, "gaussianMoments: \(x.shape), an odd number of channels")
    let log = channels(width..<2 * width, of: x)
    log.withFloats { log in
      x.context.forElements(x.count / 2) { begin, end in
        for i in Int(begin)..<Int(end) {
          // Comparisons in this order leave NaN as it is.
          if log[i] < limits.lowerBound { log[i] = limits.lowerBound }
          if log[i] > limits.upperBound { log[i] = limits.upperBound }
        }
      }
    }
    return (channels(0..<width, of: x), log)
  }

  /// The gradient of x from that of one of its halves, [..., C]; the other half's is 0.
  public static func gradient(ofMean dmean: Tensor) -> Tensor {
    concatenated(dmean, Tensor(zeros: dmean.shape, on: dmean.context))
  }

  public static func gradient(
    ofLogVariance dlog: Tensor, x: Tensor, limits: ClosedRange<Float>
  ) -> Tensor {
    let dx = concatenated(Tensor(zeros: dlog.shape, on: dlog.context), dlog)
    let (width, both) = (dlog.shape.channels, x.shape.channels)
    withFloats(x, dx) { x, dx in
      dlog.context.forElements(dlog.count) { begin, end in
        for i in Int(begin)..<Int(end) {
          let at = i / width * both + width + i % width
          if x[at] < limits.lowerBound || x[at] > limits.upperBound { dx[at] = 0 }
        }
      }
    }
    return dx
  }
}

/// z = mean + exp(logVariance / 2) noise: a draw as a function of its parameters.
///
/// Source: Kingma and Welling, arXiv:1312.6114, section 2.4. Shapes: all [B, ...], f32, computed in f64.
public enum GaussianDrawOperator {
  public static func forward(mean: Tensor, logVariance: Tensor, noise: Tensor) -> Tensor {
    invariant(
      mean.shape == logVariance.shape && mean.shape == noise.shape,
      "gaussianDraw: mean \(mean.shape), log variance \(logVariance.shape), noise \(noise.shape)")
    let z = Tensor(mean.shape, on: mean.context)
    withFloats(mean, logVariance, noise, z) { mean, logVariance, noise, to in
      z.context.forElements(z.count) { begin, end in
        for i in Int(begin)..<Int(end) {
          let deviation = PortableMath.saturatingExp(0.5 * Double(logVariance[i]))
          to[i] = Float(Double(mean[i]) + deviation * Double(noise[i]))
        }
      }
    }
    return z
  }

  /// dlogVariance; the gradient of the mean is dz itself.
  public static func gradient(_ dz: Tensor, logVariance: Tensor, noise: Tensor) -> Tensor {
    let dlog = Tensor(dz.shape, on: dz.context)
    withFloats(dz, logVariance, noise, dlog) { dz, logVariance, noise, to in
      dlog.context.forElements(dlog.count) { begin, end in
        for i in Int(begin)..<Int(end) {
          let deviation = PortableMath.saturatingExp(0.5 * Double(logVariance[i]))
          to[i] = Float(0.5 * Double(dz[i]) * deviation * Double(noise[i]))
        }
      }
    }
    return dlog
  }
}
