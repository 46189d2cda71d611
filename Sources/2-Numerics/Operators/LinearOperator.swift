import CKernels
import TensorCore

/// A linear layer, y = x w + b on the rows of x; also the 1x1 convolution of an NHWC image.
///
/// Shapes: x [..., K], w [K, N] (or [1, 1, K, N]), b [N] -> y [..., N]. Backward needs x and w.
/// Precision: that of x, f32 or bf16, with f32 sums in the order of K, which are the same for an
/// element whatever its neighbours are. Weights, bias and their gradients are f32.
public enum LinearOperator {
  /// x w + b, plus the addend.
  ///
  /// - Parameters:
  ///   - x: the input.
  ///   - weight: w.
  ///   - bias: b; nil for none.
  ///   - addend: [..., N], such as a residual, added to the result; nil for none.
  ///   - output: the type of y: that of x, which is the default, or f32.
  public static func forward(
    _ x: Tensor, weight: Weight, bias: Tensor?, plus addend: Tensor? = nil, output: DType? = nil
  ) -> Tensor {
    let y = result(x, weight, bias, output ?? x.dtype)
    invariant(
      addend == nil || (addend?.shape == y.shape && addend?.dtype == y.dtype),
      "linear: y \(y.shape), plus \(String(describing: addend?.shape))")
    product(x, weight, Epilogue(bias: bias, addend: addend), into: y)
    return y
  }

  /// GELU(x w + b), and with `keepsInput` also x w + b itself, which backward needs.
  public static func activated(
    _ x: Tensor, weight: Weight, bias: Tensor?, keepsInput: Bool
  ) -> (input: Tensor?, activated: Tensor) {
    let activated = result(x, weight, bias, x.dtype)
    let input = keepsInput ? Tensor(activated.shape, x.dtype, on: x.context) : nil
    product(x, weight, Epilogue(bias: bias, activated: activated), into: input)
    return (input, activated)
  }

  private static func result(
    _ x: Tensor, _ weight: Weight, _ bias: Tensor?, _ dtype: DType
  ) -> Tensor {
    let (k, n) = (weight.shape.rows, weight.shape.channels)
    invariant(
      x.shape.channels == k && (bias == nil || bias?.count == n),
      "linear: x \(x.shape), weight \(weight.shape), bias \(String(describing: bias?.shape))")
    return Tensor(Shape(x.shape.dimensions.dropLast() + [n]), dtype, on: x.context)
  }

  private static func product(
    _ x: Tensor, _ weight: Weight, _ epilogue: Epilogue, into y: Tensor?
  ) {
    let (k, n) = (weight.shape.rows, weight.shape.channels)
    x.context.rowProduct("linear \(k) to \(n)", x, weight, transposed: false, epilogue, into: y)
  }

  /// dx = dy w^T, plus the addend if there is one.
  public static func inputGradient(
    _ dy: Tensor, weight: Weight, plus addend: Tensor? = nil, output: DType? = nil
  ) -> Tensor {
    let (k, n) = (weight.shape.rows, weight.shape.channels)
    invariant(dy.shape.channels == n, "linear gradient: dy \(dy.shape), weight \(weight.shape)")
    let dx = Tensor(Shape(dy.shape.dimensions.dropLast() + [k]), output ?? dy.dtype, on: dy.context)
    dy.context.rowProduct(
      "linear \(k) to \(n), input gradient", dy, weight, transposed: true, Epilogue(addend: addend),
      into: dx)
    return dx
  }

  /// dw = x^T dy; with `accumulate` it is added to dw.
  public static func weightGradient(
    _ x: Tensor, _ dy: Tensor, into dw: Tensor, accumulate: Bool
  ) {
    let (k, n) = (x.shape.channels, dy.shape.channels)
    invariant(
      x.shape.rows == dy.shape.rows && dw.count == k * n,
      "linear weight gradient: x \(x.shape), dy \(dy.shape), dw \(dw.shape)")
    let g = ProductGeometry.linear(rows: x.shape.rows, inputs: k, outputs: n)
    x.context.weightGradient(
      "linear \(k) to \(n), weight gradient", [g], x, dy, into: dw, accumulate: accumulate)
  }

  /// db = column sums of dy; with `accumulate` they are added to db.
  public static func biasGradient(_ dy: Tensor, into db: Tensor, accumulate: Bool) {
    dy.context.columnSums(dy, into: db, accumulate: accumulate)
  }
}
