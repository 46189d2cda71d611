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
    public var problem: String? {
      guard
        !channels.isEmpty, channels.count == blocks.count, blocks.allSatisfy({ $0 > 0 }),
        channels.allSatisfy({ $0 > 0 }), resolution > 0, window > 0, headDim > 0, timeDim > 0
      else { return "channels \(channels), blocks \(blocks), resolution \(resolution)" }
      if embedDim < 4 || embedDim % 2 != 0 { return "embedding of \(embedDim)" }
      for stage in channels.indices {
        let side = resolution >> stage
        if side == 0 || side << stage != resolution || side % window(stage: stage) != 0 {
          return "windows of \(window) in stage \(stage) of \(resolution) pixels"
        }
        if channels[stage] % headDim != 0 {
          return "heads of \(headDim) in \(channels[stage]) channels"
        }
      }
      return nil
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
