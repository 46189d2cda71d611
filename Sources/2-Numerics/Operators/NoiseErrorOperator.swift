import TensorCore

/// DDPM's losses: the error of a predicted noise and, if a variance is predicted too, a term of the
/// variational bound. The loss of an image is a mean over its elements.
///
/// Shapes: prediction [B, H, W, C] or [B, H, W, 2C], first the noise and then the interpolation v
/// of the variance; noise and clean [B, H, W, C]. f32; elements are computed and added in f64. The
/// gradient is computed in the same pass. The bound's gradient goes only to v, as if the predicted
/// mean were a constant, and without a bound v has no gradient.
public enum NoiseErrorOperator {
  /// How the difference d between predicted and true noise is measured.
  public enum Distance: Sendable {
    /// d^2.
    case squared
    /// d^2 / 2 where |d| < 1, |d| - 1/2 elsewhere.
    case smoothL1

    /// The distance and its derivative.
    func of(_ d: Double) -> (value: Double, slope: Double) {
      switch self {
      case .squared: (d * d, 2 * d)
      case .smoothL1:
        d.magnitude < 1 ? (d * d / 2, d) : (d.magnitude - 0.5, d.isNaN ? d : d > 0 ? 1 : -1)
      }
    }
  }

  /// The losses and their gradient.
  ///
  /// - Parameters:
  ///   - prediction: what the network predicts.
  ///   - noise: the true noise.
  ///   - clean: the images in [-1, 1]; only read for bounds that decode.
  ///   - distance: how errors are measured.
  ///   - bounds: one per image, or nil.
  ///   - weights: one per image.
  /// - Returns: the loss of each image without its weight, and the gradient of the sum over images
  ///   of weights[b] losses[b] with respect to the prediction.
  public static func forward(
    _ prediction: Tensor, noise: Tensor, clean: Tensor, distance: Distance, bounds: [NoiseBound]?,
    weights: [Double]
  ) -> (losses: [Double], gradient: Tensor) {
    let images = weights.count
    let (width, channels) = (prediction.shape.channels, noise.shape.channels)
    invariant(
      noise.shape == clean.shape && noise.shape[0] == images
        && prediction.shape.dimensions.dropLast() == noise.shape.dimensions.dropLast()
        && (width == 2 * channels || width == channels && bounds == nil)
        && bounds?.count ?? images == images,
      "noiseError: prediction \(prediction.shape), noise \(noise.shape), clean \(clean.shape), "
        + "\(bounds?.count ?? 0) bounds, \(images) weights")
    let threads = prediction.context.threads
    let gradient = Tensor(prediction.shape, on: prediction.context)
    var losses = [Double](repeating: 0, count: images)
    let pixels = noise.shape.rows / max(images, 1)
    let elements = Double(pixels * channels)
    withFloats(prediction, noise, clean, gradient) { prediction, noise, clean, gradient in
      losses.withUnsafeMutableBufferPointer { losses in
        threads.forRanges(of: images) { range in
          for image in range {
            let (bound, weight) = (bounds?[image], weights[image] / elements)
            var sum = 0.0
            for pixel in image * pixels..<(image + 1) * pixels {
              for channel in 0..<channels {
                let (at, from) = (pixel * width + channel, pixel * channels + channel)
                let difference = Double(prediction[at]) - Double(noise[from])
                let (error, slope) = distance.of(difference)
                sum += error
                gradient[at] = Float(weight * slope)
                if let bound {
                  let (bits, slope) = bound.term(
                    difference: difference, v: Double(prediction[at + channels]),
                    clean: Double(clean[from]))
                  sum += bits
                  gradient[at + channels] = Float(weight * slope)
                } else if width > channels {
                  gradient[at + channels] = 0
                }
              }
            }
            losses[image] = sum / elements
          }
        }
      }
    }
    return (losses, gradient)
  }
}
