import CKernels
import TensorCore

/// y = x w + b on the rows of x; also the 1x1 convolution of an NHWC image.
///
/// Shapes: x [..., K], w [K, N] (or [1, 1, K, N]), b [N] -> y [..., N]. Backward needs x and w. Precision: f32, one FMA
/// chain an element in the order of K.
public enum LinearOperator {
  public static func forward(_ x: Tensor, weight: Tensor, bias: Tensor?) -> Tensor {
    let (k, n) = (weight.shape.rows, weight.shape.channels)
    invariant(
      x.shape.channels == k && (bias == nil || bias?.count == n),
      "linear: x \(x.shape), weight \(weight.shape), bias \(String(describing: bias?.shape))")
    let y = Tensor(Shape(x.shape.dimensions.dropLast() + [n]), on: x.engine)
    let panels = x.engine.packed(weight, taps: 1, k: k, n: n, transposed: false)
    let g = ProductGeometry.linear(rows: x.shape.rows, inputs: k, outputs: n)
    x.engine.product([g], x, panels, bias: bias, into: y)
    return y
  }

  /// dx = dy w^T
  public static func inputGradient(_ dy: Tensor, weight: Tensor) -> Tensor {
    let (k, n) = (weight.shape.rows, weight.shape.channels)
    invariant(dy.shape.channels == n, "linear gradient: dy \(dy.shape), weight \(weight.shape)")
    let dx = Tensor(Shape(dy.shape.dimensions.dropLast() + [k]), on: dy.engine)
    let panels = dy.engine.packed(weight, taps: 1, k: n, n: k, transposed: true)
    let g = ProductGeometry.linear(rows: dy.shape.rows, inputs: n, outputs: k)
    dy.engine.product([g], dy, panels, bias: nil, into: dx)
    return dx
  }

  /// dw (+)= x^T dy
  public static func weightGradient(
    _ x: Tensor, _ dy: Tensor, into dw: Tensor, accumulate: Bool
  ) {
    let (k, n) = (x.shape.channels, dy.shape.channels)
    invariant(
      x.shape.rows == dy.shape.rows && dw.count == k * n,
      "linear weight gradient: x \(x.shape), dy \(dy.shape), dw \(dw.shape)")
    let g = ProductGeometry.linear(rows: x.shape.rows, inputs: k, outputs: n)
    x.engine.weightGradient([g], x, dy, into: dw, accumulate: accumulate)
  }

  /// db (+)= column sums of dy
  public static func biasGradient(_ dy: Tensor, into db: Tensor, accumulate: Bool) {
    dy.engine.columnSums(dy, into: db, accumulate: accumulate)
  }
}
