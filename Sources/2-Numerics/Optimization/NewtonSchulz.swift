import Operators
import TensorCore

/// Five Newton-Schulz steps bring the singular values of a matrix near 1, so that it becomes about
/// the nearest orthogonal matrix: X = G / |G|; five times A = X X^T, X = a X + (b A + c A A) X.
///
/// Source: Jordan et al., "Muon: an optimizer for hidden layers in neural networks" (2024), and its
/// code. Products are f32, and their sums have an order that depends neither on threads nor on
/// ranks.
enum NewtonSchulz {
  /// a, b and c.
  static let coefficients: (a: Float, b: Float, c: Float) = (3.4445, -4.7750, 2.0315)
  /// Steps.
  static let steps = 5

  /// The result for a matrix that is stored as its transpose: what follows is the same.
  ///
  /// - Parameter tall: [long, short] with long >= short, f32.
  static func orthogonalized(_ tall: Tensor) -> Tensor {
    let (long, short) = (tall.shape[0], tall.shape[1])
    invariant(long >= short, "NewtonSchulz: \(tall.shape)")
    let context = tall.context
    let norm = treeSum(blockSquares(tall, in: [0..<tall.count])).squareRoot()
    let scale = [Float(1 / (norm + 1e-7))]
    var x = scaled(tall.reshaped([1, tall.count]), by: scale).reshaped(tall.shape)
    let gram = Tensor([short, short], on: context)
    for _ in 0..<steps {
      LinearOperator.weightGradient(x, x, into: gram, accumulate: false)  // A, of X = x^T
      let square = LinearOperator.forward(gram, weight: Weight(gram), bias: nil)
      let mixed = Tensor([short, short], on: context)
      withFloats(gram, square, mixed) { gram, square, mixed in
        context.forElements(short * short) { begin, end in
          for i in Int(begin)..<Int(end) {
            mixed[i] = coefficients.b * gram[i] + coefficients.c * square[i]
          }
        }
      }
      let kept = scaled(x.reshaped([1, x.count]), by: [coefficients.a]).reshaped([long, short])
      x = LinearOperator.forward(x, weight: Weight(mixed), bias: nil, plus: kept)
    }
    return x
  }
}
