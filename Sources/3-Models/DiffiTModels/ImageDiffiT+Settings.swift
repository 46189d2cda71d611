import TensorCore

extension ImageDiffiT {
  /// What defines an image-space network; the defaults are the paper's for CIFAR-10.
  public struct Settings: NetworkSettings {
    /// Pixels a side.
    public var resolution = 32
    /// Width of each stage, finest first.
    public var channels = [128, 256, 256]
    /// ResBlocks of each stage, in the encoder and again in the decoder; the coarsest appears once.
    public var blocks = [4, 4, 4]
    /// Side of the attention windows; a coarser stage uses its own side where that is smaller.
    public var window = 4
    /// Channels a head; divides every stage's width.
    public var headDim = 32
    /// Width T of the time token.
    public var timeDim = 512
    /// Width of the sinusoidal embedding before the time MLP.
    public var embedDim = 128
    /// 0: unconditional.
    public var classes = 0
    /// 9 with EDM's augmentation pipe, else 0.
    public var augmentLabels = 0
    public var dropout = 0.0
    public var imageChannels = 3
    /// Whether the network gives a second value a channel: the variance of DDPM's steps.
    public var learnsVariance = false

    public init() {}

    public var outputChannels: Int { learnsVariance ? 2 * imageChannels : imageChannels }
    public var widths: [Int] { channels }

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

    func window(stage: Int) -> Int { min(window, resolution >> stage) }

    public func imageShape(batch: Int) -> Shape {
      [batch, resolution, resolution, imageChannels]
    }

    public func network(precision: DType, recomputes: Bool) -> any DenoisingNetwork {
      ImageDiffiT(self, precision: precision, recomputes: recomputes)
    }
  }
}
