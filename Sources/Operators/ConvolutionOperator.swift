import CKernels
import TensorCore

/// 3x3 convolutions on NHWC images, without unfolding them in memory.
///
/// Shapes: x [B, H, W, K], w [3, 3, K, N], b [N] -> y [B, H', W', N]. Backward needs x and w.
/// Precision: that of x, with f32 sums; weights, bias and their gradients are f32.
public enum ConvolutionOperator {
  public enum Kind: Sendable {
    /// Stride 1, padding 1: H' = H (`torch.nn.Conv2d(k, n, 3, padding=1)`).
    case same
    /// Stride 2, padding 1: H' = ceil(H / 2) (`Conv2d(k, n, 3, stride=2, padding=1)`).
    case down
    /// Transposed, stride 2: H' = 2 H (`ConvTranspose2d(k, n, 3, stride=2, padding=1,
    /// output_padding=1)`).
    case up

    func outputSide(_ side: Int) -> Int {
      switch self {
      case .same: side
      case .down: (side + 1) / 2
      case .up: 2 * side
      }
    }
  }

  /// - Parameter output: type of y, where it is not that of x: f32.
  public static func forward(
    _ x: Tensor, weight: Weight, bias: Tensor?, kind: Kind, output: DType? = nil
  ) -> Tensor {
    let s = Sizes(x: x.shape, weight: weight.shape, kind)
    let y = Tensor([s.images, s.output.h, s.output.w, s.n], output ?? x.dtype, on: x.engine)
    let panels = weight.packed(x.dtype, taps: 9, k: s.k, n: s.n, transposed: false)
    x.engine.product(s.name, s.forwardClasses, x, panels, Epilogue(bias: bias), into: y)
    return y
  }

  /// Gradient of the input of shape `shape`, plus the addend where there is one.
  public static func inputGradient(
    _ dy: Tensor, weight: Weight, kind: Kind, inputShape shape: Shape, plus addend: Tensor? = nil,
    output: DType? = nil
  ) -> Tensor {
    let s = Sizes(x: shape, weight: weight.shape, kind)
    invariant(
      dy.shape == [s.images, s.output.h, s.output.w, s.n],
      "convolution gradient: dy \(dy.shape) for x \(shape), weight \(weight.shape)")
    let dx = Tensor(shape, output ?? dy.dtype, on: dy.engine)
    let panels = weight.packed(dy.dtype, taps: 9, k: s.n, n: s.k, transposed: true)
    dy.engine.product(
      "\(s.name), input gradient", s.inputGradientClasses, dy, panels, Epilogue(addend: addend),
      into: dx)
    return dx
  }

  /// dw [3, 3, K, N] (+)= sum over pixels of x dy
  public static func weightGradient(
    _ x: Tensor, _ dy: Tensor, kind: Kind, into dw: Tensor, accumulate: Bool
  ) {
    let s = Sizes(x: x.shape, weight: [3, 3, x.shape.channels, dy.shape.channels], kind)
    invariant(
      dw.count == 9 * s.k * s.n && dy.shape == [s.images, s.output.h, s.output.w, s.n],
      "convolution weight gradient: x \(x.shape), dy \(dy.shape), dw \(dw.shape)")
    x.engine.weightGradient(
      "\(s.name), weight gradient", s.forwardClasses, x, dy, into: dw, accumulate: accumulate)
  }

  public static func biasGradient(_ dy: Tensor, into db: Tensor, accumulate: Bool) {
    dy.engine.columnSums(dy, into: db, accumulate: accumulate)
  }

  private struct Sizes {
    let images: Int, k: Int, n: Int
    let input: (h: Int, w: Int)
    let output: (h: Int, w: Int)
    let kind: Kind

    init(x: Shape, weight: Shape, _ kind: Kind) {
      invariant(
        x.rank == 4 && weight.rank == 4 && weight[0] == 3 && weight[1] == 3 && x[3] == weight[2],
        "convolution: x \(x), weight \(weight)")
      let widest = Int(DK_MAX_GATHERED_CHANNELS)
      invariant(
        max(weight[2], weight[3]) <= widest,
        "convolution: weight \(weight), at most \(widest) channels")
      (images, k, n) = (x[0], weight[2], weight[3])
      input = (x[1], x[2])
      output = (kind.outputSide(x[1]), kind.outputSide(x[2]))
      self.kind = kind
    }

    var name: String {
      switch kind {
      case .same: "convolution \(k) to \(n)"
      case .down: "convolution down \(k) to \(n)"
      case .up: "convolution up \(k) to \(n)"
      }
    }

    var forwardClasses: [dk_geometry] {
      switch kind {
      case .same, .down:
        [
          ProductGeometry.convolution(
            images: images, input: input, output: output, inputs: k, outputs: n,
            stride: kind == .down ? 2 : 1)
        ]
      case .up:
        ProductGeometry.upsampling(
          images: images, input: input, output: output, inputs: k, outputs: n)
      }
    }

    var inputGradientClasses: [dk_geometry] {
      switch kind {
      case .same:
        [
          ProductGeometry.convolution(
            images: images, input: output, output: input, inputs: n, outputs: k, stride: 1,
            mirrored: true)
        ]
      case .down:
        ProductGeometry.upsampling(
          images: images, input: output, output: input, inputs: n, outputs: k)
      case .up:
        [
          ProductGeometry.convolution(
            images: images, input: output, output: input, inputs: n, outputs: k, stride: 2)
        ]
      }
    }
  }
}
