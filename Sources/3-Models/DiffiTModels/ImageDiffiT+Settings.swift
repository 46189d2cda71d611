import TensorCore

extension ImageDiffiT {
  /// The hyperparameters of an image-space network; the defaults are the paper's for CIFAR-10.
  public struct Settings: NetworkSettings {
    /// Side of the images in pixels.
    public var resolution = 32
    /// The width of each stage, finest first.
    public var channels = [128, 256, 256]
    /// The number of ResBlocks of each stage. The encoder and the decoder each have so many; the
    /// coarsest stage appears once.
    public var blocks = [4, 4, 4]
    /// Side of the attention windows in pixels. A coarser stage whose own side is smaller uses
    /// that.
    public var window = 4
    /// Channels per attention head; divides the width of every stage.
    public var headDim = 32
    /// T, the width of the time token.
    public var timeDim = 512
    /// The width of the sinusoidal embedding before the time MLP.
    public var embedDim = 128
    /// The number of classes; 0 for an unconditional network.
    public var classes = 0
    /// 9 with EDM's augmentation pipe, else 0.
    public var augmentLabels = 0
    /// The rate of all dropout layers, in [0, 1).
    public var dropout = 0.0
    /// Whether the last layer of each residual branch, of attention and of the MLP, starts at zero,
    /// so that every block is the identity first.
    public var zeroInit = false
    /// Channels of the images.
    public var imageChannels = 3
    /// Whether the network has a second output per channel: the variance of DDPM's steps.
    public var learnsVariance = false

    /// The paper's network for CIFAR-10.
    public init() {}

    /// Channels of the network's output.
    public var outputChannels: Int { learnsVariance ? 2 * imageChannels : imageChannels }
    /// The widths of the parts that can compute in bf16: those of all stages.
    public var widths: [Int] { channels }

    /// Why no network can have these settings; nil if one can.
    public var problem: NetworkProblem? {
      let sizes: KeyValuePairs = [
        "resolution": resolution, "window": window, "headDim": headDim, "timeDim": timeDim,
        "imageChannels": imageChannels,
      ]
      return NetworkProblem.firstNotPositive(sizes) ?? stageProblem ?? widthProblem ?? sideProblem
    }

    /// Stages that have no width or no blocks.
    private var stageProblem: NetworkProblem? {
      if channels.isEmpty || !channels.allSatisfy({ $0 > 0 }) {
        return NetworkProblem(
          "channels", channels, expected: "the width of at least one stage, each 1 or more")
      }
      if blocks.count != channels.count || !blocks.allSatisfy({ $0 > 0 }) {
        return NetworkProblem(
          "blocks", blocks,
          expected: "one number of blocks, 1 or more, for each of the \(channels.count) stages",
          remedy: "give blocks and channels equally many entries")
      }
      return nil
    }

    /// Widths that cannot be cut into heads, or into sines and cosines.
    private var widthProblem: NetworkProblem? {
      if embedDim < 4 || embedDim % 2 != 0 {
        return NetworkProblem(
          "embedDim", embedDim,
          expected: "an even number of at least 4 (a sine and a cosine per frequency)")
      }
      if let width = channels.first(where: { $0 % headDim != 0 }) {
        return NetworkProblem(
          "headDim", headDim,
          expected: "a divisor of every stage's width (\(width) is not a multiple)",
          remedy: "use a divisor of \(channels.reduce(0, greatestCommonDivisor))")
      }
      return nil
    }

    /// Sides that cannot be halved, or cut into windows.
    private var sideProblem: NetworkProblem? {
      let halvings = channels.count - 1
      let coarsest = resolution >> halvings
      if coarsest == 0 || coarsest << halvings != resolution {
        return NetworkProblem(
          "resolution", resolution,
          expected: "a side that can be halved \(halvings) times without remainder",
          remedy: "use another resolution or fewer stages")
      }
      let sides = channels.indices.map { resolution >> $0 }
      func fits(_ window: Int) -> Bool { sides.allSatisfy { $0 % min(window, $0) == 0 } }
      guard let stage = sides.indices.first(where: { sides[$0] % window(stage: $0) != 0 }) else {
        return nil
      }
      let fitting = (1...min(resolution, 64)).filter(fits).map(String.init)
      return NetworkProblem(
        "window", window,
        expected: "a window that divides every stage's side (stage \(stage) has \(sides[stage]))",
        remedy: "use one of \(fitting.joined(separator: ", "))")
    }

    /// Side of the attention windows of a stage.
    func window(stage: Int) -> Int { min(window, resolution >> stage) }

    /// [batch, resolution, resolution, imageChannels].
    public func imageShape(batch: Int) -> Shape {
      [batch, resolution, resolution, imageChannels]
    }

    /// Creates the network and declares its parameters.
    public func network(precision: DType, recomputes: Bool) -> any DenoisingNetwork {
      ImageDiffiT(self, precision: precision, recomputes: recomputes)
    }
  }
}

private func greatestCommonDivisor(_ a: Int, _ b: Int) -> Int {
  a == 0 ? b : greatestCommonDivisor(b % a, a)
}
