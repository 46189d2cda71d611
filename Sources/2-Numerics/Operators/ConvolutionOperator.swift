import TensorCore

/// 3x3 and 4x4 convolutions of NHWC images, computed as matrix products without unfolding the
/// images in memory (without im2col).
///
/// Shapes: x [B, H, W, K], w [s, s, K, N], b [N] -> y [B, H', W', N]; the kind determines s and H'.
/// Backward needs x and w.
/// Precision: that of x, with f32 sums. Weights, bias and their gradients are f32.
public enum ConvolutionOperator {
  /// The convolution of x, plus the bias.
  ///
  /// - Parameters:
  ///   - x: the images.
  ///   - weight: w.
  ///   - bias: b; nil for none.
  ///   - kind: kernel size, stride and padding.
  ///   - output: the type of y: that of x, which is the default, or f32.
  public static func forward(
    _ x: Tensor, weight: Weight, bias: Tensor?, kind: Kind, output: DType? = nil
  ) -> Tensor {
    let s = Sizes(x: x.shape, weight: weight.shape, kind)
    let y = Tensor(s.outputShape, output ?? x.dtype, on: x.context)
    let panels = panels(weight, x.dtype, s, transposed: false)
    x.context.product(s.name, s.forwardClasses, x, panels, Epilogue(bias: bias), into: y)
    return y
  }

  /// The gradient of the input, whose shape is `shape`, plus the addend if there is one.
  public static func inputGradient(
    _ dy: Tensor, weight: Weight, kind: Kind, inputShape shape: Shape, plus addend: Tensor? = nil,
    output: DType? = nil
  ) -> Tensor {
    let s = Sizes(x: shape, weight: weight.shape, kind)
    invariant(
      dy.shape == s.outputShape,
      "convolution gradient: dy \(dy.shape) for x \(shape), weight \(weight.shape)")
    let dx = Tensor(shape, output ?? dy.dtype, on: dy.context)
    let panels = panels(weight, dy.dtype, s, transposed: true)
    dy.context.product(
      "\(s.name), input gradient", s.inputGradientClasses, dy, panels, Epilogue(addend: addend),
      into: dx)
    return dx
  }

  private static func panels(
    _ weight: Weight, _ dtype: DType, _ s: Sizes, transposed: Bool
  ) -> Tensor {
    weight.packed(
      dtype, taps: s.kind.kernel.taps, k: transposed ? s.n : s.k, n: transposed ? s.k : s.n,
      transposed: transposed,
      of: s.kind == .nearestUp ? { TapSums.kernel(of: weight.values) } : nil)
  }

  /// dw [s, s, K, N] = sum over pixels of x dy; with `accumulate` it is added to dw.
  public static func weightGradient(
    _ x: Tensor, _ dy: Tensor, kind: Kind, into dw: Tensor, accumulate: Bool
  ) {
    let side = kind.side
    let s = Sizes(x: x.shape, weight: [side, side, x.shape.channels, dy.shape.channels], kind)
    invariant(
      dw.count == side * side * s.k * s.n && dy.shape == s.outputShape,
      "convolution weight gradient: x \(x.shape), dy \(dy.shape), dw \(dw.shape)")
    let sums = kind == .nearestUp ? Tensor([4, 4, s.k, s.n], on: x.context) : nil
    x.context.weightGradient(
      "\(s.name), weight gradient", s.forwardClasses, x, dy, into: sums ?? dw,
      accumulate: accumulate && sums == nil)
    if let sums { TapSums.gradient(sums, into: dw, accumulate: accumulate) }
  }

  /// db [N] = sum over images and pixels of dy; with `accumulate` it is added to db.
  public static func biasGradient(_ dy: Tensor, into db: Tensor, accumulate: Bool) {
    dy.context.columnSums(dy, into: db, accumulate: accumulate)
  }
}
