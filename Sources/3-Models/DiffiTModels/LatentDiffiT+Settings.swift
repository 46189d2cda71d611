import TensorCore

extension LatentDiffiT {
  /// The hyperparameters of a latent network; the defaults are the paper's for ImageNet at 256 x
  /// 256.
  public struct Settings: NetworkSettings {
    /// Side of the latents, in latent pixels.
    public var resolution = 32
    /// Channels of the latents.
    public var latentChannels = 4
    /// Side of a token's patch, in latent pixels; divides the resolution.
    public var patch = 2
    /// The width of the tokens.
    public var width = 1152
    /// The number of blocks.
    public var depth = 28
    /// The number of attention heads of every block; divides the width.
    public var heads = 16
    /// The number of classes; 0 for an unconditional network.
    public var classes = 1000
    /// The rate of all dropout layers, in [0, 1).
    public var dropout = 0.0
    /// Whether the last layer of each residual branch, of attention and of the MLP, starts at zero,
    /// so that every block is the identity first.
    public var zeroInit = false
    /// Whether the network has a second output per channel: the variance of DDPM's steps.
    public var learnsVariance = true
    /// The width of the sinusoidal embedding before the time MLP.
    static let embedDim = 256

    /// The paper's network for ImageNet at 256 x 256.
    public init() {}

    /// Always 0: latents have no augmentation labels.
    public var augmentLabels: Int { 0 }
    /// The widths of the parts that can compute in bf16: that of the tokens.
    public var widths: [Int] { [width] }
    /// Tokens per side, which is also the side of the attention window.
    public var grid: Int { resolution / patch }
    /// Channels of the network's output.
    public var outputChannels: Int { learnsVariance ? 2 * latentChannels : latentChannels }

    /// Why no network can have these settings; nil if one can.
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

    /// [batch, resolution, resolution, latentChannels].
    public func imageShape(batch: Int) -> Shape {
      [batch, resolution, resolution, latentChannels]
    }

    /// What one image costs: arithmetic and memory.
    ///
    /// - Parameters:
    ///   - precision: the type of the activations inside blocks.
    ///   - recomputes: whether a block saves only its input.
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
      // The last layer norm, the input of SiLU and the input of the last product.
      cost.savedBytes += 3 * tokens * stream * width
      return cost
    }

    /// Creates the network and declares its parameters.
    public func network(precision: DType, recomputes: Bool) -> any DenoisingNetwork {
      LatentDiffiT(self, precision: precision, recomputes: recomputes)
    }
  }
}
