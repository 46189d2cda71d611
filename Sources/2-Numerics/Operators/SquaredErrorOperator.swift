import CKernels
import TensorCore

/// The mean squared error (MSE) per image: the sum over images of weight[b] mean((x[b] - y[b])^2).
///
/// Shapes: x, y [B, ...], weights [B]. The gradient is computed in the same pass.
public enum SquaredErrorOperator {
  /// The loss and its gradient.
  ///
  /// - Returns: the term of each image in f64, weight included, and the gradient of their sum with
  ///   respect to x.
  public static func forward(_ x: Tensor, target: Tensor, weights: [Double]) -> (
    terms: [Double], gradient: Tensor
  ) {
    invariant(
      x.shape == target.shape && x.shape[0] == weights.count,
      "squaredError: x \(x.shape), target \(target.shape), \(weights.count) weights")
    let inner = x.count / max(weights.count, 1)
    let gradient = Tensor(x.shape, on: x.context)
    var terms = [Double](repeating: 0, count: weights.count)
    let context = x.context
    withFloats(x, target, gradient) { x, target, gradient in
      terms.withUnsafeMutableBufferPointer { terms in
        context.threads.forRanges(of: weights.count) { range in
          for image in range {
            let at = image * inner
            let weight = weights[image] / Double(inner)
            let squares = context.kernels.table.pointee.squared_error(
              x + at, target + at, Float(2 * weight), 0, Int64(inner), gradient + at)
            terms[image] = squares * weight
          }
        }
      }
    }
    return (terms, gradient)
  }
}
