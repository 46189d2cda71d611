import TensorCore

extension LatentDiffiT {
  /// What defines a latent network; the defaults are the paper's for ImageNet at 256 x 256.
  public struct Settings: NetworkSettings {
    /// Side of the latents.
    public var resolution = 32
    /// Channels of the latents.
    public var latentChannels = 4
    /// Side of a token, in latents.
    public var patch = 2
    public var width = 1152
    /// Blocks.
    public var depth = 28
    public var heads = 16
    /// 0: unconditional.
    public var classes = 1000
    public var dropout = 0.0
    /// Whether the network gives a second value a channel: the variance of DDPM's steps.
    public var learnsVariance = true
    /// Width of the sinusoidal embedding before the time MLP.
    static let embedDim = 256

    public init() {}

    public var augmentLabels: Int { 0 }
    public var widths: [Int] { [width] }
    /// Tokens a side, which is the attention's window.
    public var grid: Int { resolution / patch }
    public var outputChannels: Int { learnsVariance ? 2 * latentChannels : latentChannels }

    public var problem: NetworkProblem? {
      let sizes: KeyValuePairs = [
        "resolution": resolution, "latentChannels": latentChannels, "patch": patch, "width": width,
        "depth": depth, "heads": heads,
      ]
      if let problem = NetworkProblem.firstNotPositive(sizes) { return problem }
      if classes < 0 { return NetworkProblem("classes", classes, expected: "0 or more") }
      if resolution % patch != 0 {
        return NetworkProblem(
          "patch", patch, expected: "a divisor of the resolution, which is \(resolution)")
      }
      if width % 4 != 0 || width % heads != 0 {
        return NetworkProblem(
          "width", width, expected: "a multiple of 4 and of the heads, which are \(heads)",
          remedy: "change the width or the heads")
      }
      return nil
    }

    public func imageShape(batch: Int) -> Shape {
      [batch, resolution, resolution, latentChannels]
    }

    public func cost(precision: DType = .float32, recomputes: Bool = false) -> NetworkCost {
      var cost = NetworkCost()
      let (tokens, stream) = (grid * grid, DType.float32.size)
      cost.product(1, Self.embedDim + width, width)
      cost.product(1, classes + 1, width)
      cost.product(tokens, patch * patch * latentChannels, width)
      cost.savedBytes += tokens * stream * patch * patch * latentChannels
      let size = self.precision(precision, width: width).size
      for _ in 0..<depth {
        let before = cost.forwardFlops
        let saved = cost.diffiTBlock(
          tokens: tokens, width: width, timeDim: width, window: grid, size: size)
        cost.blockFlops += cost.forwardFlops - before
        cost.largestBlockBytes = max(cost.largestBlockBytes, saved)
        cost.savedBytes += recomputes ? tokens * stream * width : saved
      }
      cost.product(tokens, width, patch * patch * outputChannels)
      // The last layer norm, SiLU's input and the last product's.
      cost.savedBytes += 3 * tokens * stream * width
      return cost
    }

    public func network(precision: DType, recomputes: Bool) -> any DenoisingNetwork {
      LatentDiffiT(self, precision: precision, recomputes: recomputes)
    }
  }
}
