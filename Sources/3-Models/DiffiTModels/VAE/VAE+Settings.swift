import TensorCore

extension VAE {
  /// The hyperparameters of an autoencoder; the defaults are those of the f8 network of latent
  /// diffusion.
  public struct Settings: Sendable, Hashable {
    /// Side of the images that it is trained on, and of tiles, in pixels.
    public var resolution = 256
    /// The width of each level, finest first. Each level but the last halves the image.
    public var channels = [128, 256, 512, 512]
    /// The number of ResBlocks per level of the encoder; the decoder has one more.
    public var layers = 2
    /// The number of groups of every group norm; divides the width of every level.
    public var groups = 32
    /// Channels of the latents.
    public var latentChannels = 4
    /// Channels of the images.
    public var imageChannels = 3

    /// The f8 network of latent diffusion.
    public init() {}

    /// f, the ratio of an image's side to its latent's side.
    public var factor: Int { 1 << max(channels.count - 1, 0) }

    /// Side of the latents of an image of `resolution` pixels per side.
    public var latentSide: Int { resolution / factor }

    /// Why no network can have these settings; nil if one can.
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

    /// Narrow blocks compute in f32 even if bf16 is asked for, as in `ImageDiffiT`.
    func precision(_ asked: DType, _ widths: Int...) -> DType {
      widths.allSatisfy { $0 >= ImageDiffiT.Settings.leastBF16Width } ? asked : .float32
    }

    /// [batch, resolution, resolution, imageChannels].
    public func imageShape(batch: Int) -> Shape { [batch, resolution, resolution, imageChannels] }

    /// [batch, latentSide, latentSide, latentChannels].
    public func latentShape(batch: Int) -> Shape {
      [batch, latentSide, latentSide, latentChannels]
    }
  }
}
