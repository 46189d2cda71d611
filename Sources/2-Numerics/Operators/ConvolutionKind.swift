import CKernels
import TensorCore

extension ConvolutionOperator {
  /// The kernel size, stride and padding of a convolution: which input pixels each output pixel
  /// depends on.
  public enum Kind: Sendable, CaseIterable {
    /// 3x3, stride 1, padding 1: H' = H (`torch.nn.Conv2d(k, n, 3, padding=1)`).
    case same
    /// 3x3, stride 2, padding 1: H' = ceil(H / 2) (`Conv2d(k, n, 3, stride=2, padding=1)`).
    case down
    /// 3x3, transposed, stride 2: H' = 2 H (`ConvTranspose2d(k, n, 3, stride=2, padding=1,
    /// output_padding=1)`).
    case up
    /// 3x3, stride 2, padding 1 only below and right: H' = floor(H / 2) (`F.pad(x, (0, 1, 0, 1))`,
    /// then `Conv2d(k, n, 3, stride=2)`).
    case downAfter
    /// Nearest-neighbour upsampling by 2, then 3x3 with padding 1: H' = 2 H
    /// (`F.interpolate(x, scale_factor=2)`, then `Conv2d(k, n, 3, padding=1)`).
    case nearestUp
    /// 4x4, stride 2, padding 1: H' = floor(H / 2) (`Conv2d(k, n, 4, stride=2, padding=1)`).
    case wideDown
    /// 4x4, stride 1, padding 1: H' = H - 1 (`Conv2d(k, n, 4, padding=1)`).
    case wide

    /// The height and width of the weight: 3 or 4 taps per axis.
    public var side: Int { self == .wideDown || self == .wide ? 4 : 3 }

    /// The output's height (or width) for an input's height (or width) in pixels.
    public func outputSide(_ side: Int) -> Int {
      switch self {
      case .same: side
      case .down: (side + 1) / 2
      case .up, .nearestUp: 2 * side
      case .downAfter, .wideDown: side / 2
      case .wide: max(side - 1, 0)
      }
    }

    /// The taps that products multiply by. Those of `nearestUp` are sums of the weight's taps: see
    /// `TapSums`.
    var kernel: KernelSquare {
      switch self {
      case .same: KernelSquare(side: 3, stride: 1, padding: 1)
      case .down, .up: KernelSquare(side: 3, stride: 2, padding: 1)
      case .downAfter: KernelSquare(side: 3, stride: 2, padding: 0)
      case .nearestUp, .wideDown: KernelSquare(side: 4, stride: 2, padding: 1)
      case .wide: KernelSquare(side: 4, stride: 1, padding: 1)
      }
    }

    /// Whether each input pixel is spread over several output pixels: the transpose of a
    /// convolution with that kernel.
    var isTransposed: Bool { self == .up || self == .nearestUp }
  }

  /// The sizes of a convolution, computed from its operands' shapes.
  struct Sizes {
    let images: Int, k: Int, n: Int
    let input: (h: Int, w: Int)
    let output: (h: Int, w: Int)
    let kind: Kind

    init(x: Shape, weight: Shape, _ kind: Kind) {
      invariant(
        x.rank == 4 && weight.rank == 4 && weight[0] == kind.side && weight[1] == kind.side
          && x[3] == weight[2],
        "convolution: x \(x), weight \(weight), \(kind)")
      let widest = Int(DK_MAX_GATHERED_CHANNELS)
      invariant(
        max(weight[2], weight[3]) <= widest,
        "convolution: weight \(weight), at most \(widest) channels")
      (images, k, n) = (x[0], weight[2], weight[3])
      input = (x[1], x[2])
      output = (kind.outputSide(x[1]), kind.outputSide(x[2]))
      self.kind = kind
    }

    var outputShape: Shape { [images, output.h, output.w, n] }

    var name: String {
      switch kind {
      case .same: "convolution \(k) to \(n)"
      case .down: "convolution down \(k) to \(n)"
      case .up: "convolution up \(k) to \(n)"
      default: "convolution \(kind) \(k) to \(n)"
      }
    }

    var forwardClasses: [dk_geometry] {
      kind.isTransposed
        ? ProductGeometry.upsampling(
          kind.kernel, images: images, input: input, output: output, inputs: k, outputs: n)
        : [
          ProductGeometry.convolution(
            kind.kernel, images: images, input: input, output: output, inputs: k, outputs: n)
        ]
    }

    var inputGradientClasses: [dk_geometry] {
      kind.isTransposed || kind.kernel.stride == 1
        ? [
          ProductGeometry.convolution(
            kind.kernel, images: images, input: output, output: input, inputs: n, outputs: k,
            mirrored: !kind.isTransposed)
        ]
        : ProductGeometry.upsampling(
          kind.kernel, images: images, input: output, output: input, inputs: n, outputs: k)
    }
  }
}
