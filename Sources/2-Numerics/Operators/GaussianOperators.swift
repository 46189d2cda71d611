import TensorCore

/// Reads the two halves of a tensor's channels as mean and log variance, the latter clamped to
/// limits.
///
/// Shapes: x [..., 2 C], f32 -> mean and logVariance [..., C]. Backward needs x: outside the limits
/// no gradient passes, at the limits it does.
public enum GaussianMomentsOperator {
  /// The mean, and the log variance clamped to `limits`; NaN stays NaN.
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

  /// The gradient of x from that of the mean, [..., C]; it is 0 in the other half.
  public static func gradient(ofMean dmean: Tensor) -> Tensor {
    concatenated(dmean, Tensor(zeros: dmean.shape, on: dmean.context))
  }

  /// The gradient of x from that of the log variance, [..., C]; it is 0 in the other half and
  /// outside the limits.
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

/// A sample of a Gaussian as a differentiable function of its parameters (the reparameterisation
/// trick): z = mean + exp(logVariance / 2) noise.
///
/// Source: Kingma and Welling, arXiv:1312.6114, section 2.4. Shapes: all [B, ...], f32, computed in
/// f64.
public enum GaussianDrawOperator {
  /// z for standard normal noise, in the shape of the mean.
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

  /// The gradient of the log variance; the gradient of the mean is dz itself.
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
