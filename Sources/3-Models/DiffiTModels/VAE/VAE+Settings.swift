import TensorCore

extension VAE {
  /// What defines an autoencoder; the defaults are those of the f8 network of latent diffusion.
  public struct Settings: Sendable, Hashable {
    /// Pixels a side of the images that it is trained on, and of tiles.
    public var resolution = 256
    /// Width of each level, finest first. Each level but the last halves the image.
    public var channels = [128, 256, 512, 512]
    /// ResBlocks of a level in the encoder; the decoder has one more.
    public var layers = 2
    /// Groups of every group norm; divides every level's width.
    public var groups = 32
    public var latentChannels = 4
    public var imageChannels = 3

    public init() {}

    /// Pixels a latent pixel stands for, along an axis.
    public var factor: Int { 1 << max(channels.count - 1, 0) }

    public var latentSide: Int { resolution / factor }

    /// Why no network has these settings; nil where one does.
    public var problem: NetworkProblem? {
      let sizes: KeyValuePairs = [
        "layers": layers, "groups": groups, "latentChannels": latentChannels,
        "imageChannels": imageChannels,
      ]
      if let problem = NetworkProblem.firstNotPositive(sizes) { return problem }
      guard !channels.isEmpty, channels.allSatisfy({ $0 > 0 }), channels.count < 20 else {
        return NetworkProblem(
          "channels", channels, expected: "the width of 1 to 19 levels, each 1 or more")
      }
      if let width = channels.first(where: { $0 % groups != 0 }) {
        return NetworkProblem(
          "groups", groups,
          expected: "a divisor of every level's width (not \(groups) groups in \(width) channels)")
      }
      if resolution <= 0 || resolution % factor != 0 {
        return NetworkProblem(
          "resolution", "\(resolution) pixels",
          expected: "a multiple of \(factor), which \(channels.count) levels divide images by",
          remedy: "use another resolution or fewer levels")
      }
      return nil
    }

    /// The largest number of groups, at most 32, that divides every width.
    public static func largestGroups(channels: [Int]) -> Int {
      (1...32).last { groups in channels.allSatisfy { $0 % groups == 0 } } ?? 1
    }

    /// Narrower blocks are f32 in bf16 too, as in `ImageDiffiT`.
    func precision(_ asked: DType, _ widths: Int...) -> DType {
      widths.allSatisfy { $0 >= ImageDiffiT.Settings.leastBF16Width } ? asked : .float32
    }

    public func imageShape(batch: Int) -> Shape { [batch, resolution, resolution, imageChannels] }

    public func latentShape(batch: Int) -> Shape {
      [batch, latentSide, latentSide, latentChannels]
    }
  }
}
