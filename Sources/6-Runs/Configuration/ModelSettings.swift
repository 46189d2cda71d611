import DiffiTModels

/// The network, as `model.*` describes it.
///
/// Source: arXiv:2312.02139v3, Fig. 4 and Tables S.2, S.3. The settings of each kind of network are those
/// of its type in `DiffiTModels`, with their defaults and rules; a key that several kinds have is a
/// property here that sets it in all of them.
package struct ModelSettings: Equatable, Sendable {
  package enum Kind: String, CaseIterable, Sendable { case image, latent, vae }

  /// What is trained.
  package var kind = Kind.image
  /// Of kind `image`.
  package var image = ImageDiffiT.Settings()
  /// Of kind `latent`.
  package var latent = LatentDiffiT.Settings()
  /// Of kind `vae`.
  package var autoencoder = VAE.Settings()
  /// Classes that the network is told; 0: none.
  package var classes = 0
  /// Rate in training, after attention and after the MLP; of kinds `image` and `latent`.
  package var dropout = 0.13

  /// Whether residual branches end in a layer of zeros at first; of kinds `image` and `latent`.
  package var zeroInit = false

  /// The network of `configs/cifar10.yaml`.
  package init() {
    // What several kinds share begins with the value of the first.
    (resolution, channels) = (image.resolution, image.channels)
    latentChannels = latent.latentChannels
  }

  /// Side of what the network sees: pixels of an image, or latents.
  package var resolution: Int {
    get { image.resolution }
    set {
      (image.resolution, latent.resolution, autoencoder.resolution) = (newValue, newValue, newValue)
    }
  }

  /// Width of each stage of `image`, or of each level of `vae`, finest first.
  package var channels: [Int] {
    get { image.channels }
    set { (image.channels, autoencoder.channels) = (newValue, newValue) }
  }

  /// Channels of a latent, of `latent` and `vae`.
  package var latentChannels: Int {
    get { latent.latentChannels }
    set { (latent.latentChannels, autoencoder.latentChannels) = (newValue, newValue) }
  }

  /// Sides of the stages, in pixels, finest first.
  package var sides: [Int] { channels.indices.map { resolution >> $0 } }
}

extension ModelSettings: SettingsSection {
  static let meaning =
    """
    The network. `image` is the U-shaped DiffiT, `latent` the transformer on an autoencoder's \
    latents, `vae` such an autoencoder.
    """

  static let settings: [Setting<ModelSettings>] = [
    Setting(
      "kind", \.kind, .choice,
      """
      What is trained: `image` is the U-shaped network on pixels, `latent` the transformer on \
      latents, `vae` the autoencoder that makes latents.
      """),
    Setting(
      "resolution", \.resolution, .whole, .range(1...16_384),
      """
      Side of what the network sees: pixels of an image, or latents with `latent`. With `image` \
      it can be halved once per stage after the first.
      """),
    Setting(
      "channels", \.channels, .wholes, .each(1...4_096),
      "Of `image`: the width of each stage, finest first; of `vae`: the width of each level."),
    Setting(
      "blocks", \.image.blocks, .wholes, .each(1...1_024),
      """
      Of `image`: the number of ResBlocks of each stage, finest first. The encoder and the \
      decoder have as many each; the coarsest stage appears once.
      """),
    Setting(
      "window", \.image.window, .whole, .range(1...64),
      """
      Of `image`: the side of an attention window, in pixels of the stage. It divides the side of \
      every stage; a stage that is smaller has one window of its own size.
      """),
    Setting(
      "head_dim", \.image.headDim, .whole, .range(1...1_024),
      "Of `image`: channels per attention head. It divides every width in `model.channels`."),
    Setting(
      "time_dim", \.image.timeDim, .whole, .range(1...65_536),
      "Of `image`: the width of the time token."),
    Setting(
      "embed_dim", \.image.embedDim, .whole, .range(4...65_536),
      """
      Of `image`: the width of the embedding of the noise level. It is even: a sine and a cosine \
      per frequency.
      """),
    Setting(
      "classes", \.classes, .whole, .range(0...1_000_000),
      "Number of classes that the network is told. With 0 it is unconditional."),
    Setting(
      "dropout", \.dropout, .number, .range(0..<1),
      "Dropout rate in training, after attention and after the MLP. `vae` has none."),
    Setting(
      "zero_init", \.zeroInit, .flag,
      """
      Whether the last layer of each residual branch, of attention and of the MLP, starts at zero. \
      `vae` has no such branches.
      """),
    Setting(
      "patch", \.latent.patch, .whole, .range(1...256),
      """
      Of `latent`: the side of a token, in latents. It divides `model.resolution`, and there are \
      at most 64 tokens per side.
      """),
    Setting(
      "width", \.latent.width, .whole, .range(4...16_384),
      "Of `latent`: channels of a token, a multiple of 4 and of `model.heads`."),
    Setting(
      "depth", \.latent.depth, .whole, .range(1...1_024), "Of `latent`: the number of blocks."),
    Setting(
      "heads", \.latent.heads, .whole, .range(1...1_024),
      "Of `latent`: the number of attention heads."),
    Setting(
      "latent_channels", \.latentChannels, .whole, .range(1...1_024),
      "Of `latent` and `vae`: channels of a latent."),
    Setting(
      "layers", \.autoencoder.layers, .whole, .range(1...64),
      "Of `vae`: ResBlocks per level of the encoder. The decoder has one more."),
  ]

  /// Limits of this program. What the network itself asks for is in its `Settings.problem`.
  func validate() throws(SettingProblem) {
    switch kind {
    case .image:
      let together = zip(channels, channels.dropFirst()).map(+)
      try require(
        channels.allSatisfy { $0 >= 4 } && together.allSatisfy { $0 <= 4_096 }, \.channels,
        expected:
          "the width of at least one stage, each 4 to 4096, neighbours together at most 4096")
    case .latent:
      try require(
        resolution / latent.patch <= 64, \.resolution,
        expected: "at most 64 tokens per side, of \(latent.patch) latents each",
        remedy: "use a smaller model.resolution or a larger model.patch")
    case .vae:
      try require(
        (1...8).contains(channels.count), \.channels,
        expected: "the width of 1 to 8 levels, each 1 to 4096")
      try require(
        !zeroInit, \.zeroInit, expected: "false with model.kind vae",
        remedy: "leave model.zero_init out")
    }
  }
}

extension ModelSettings {
  /// What is trained, for people.
  package var title: String {
    switch kind {
    case .image: "DiffiT, image space"
    case .latent: "DiffiT, latent space"
    case .vae: "variational autoencoder"
    }
  }

  /// Its size and what it knows, for people.
  package var summary: String {
    let what = kind == .latent ? "latents" : "pixels"
    let conditions = classes == 0 ? "unconditional" : "\(classes) classes"
    let latents = "\(latentChannels) x \(resolution >> (channels.count - 1))^2 latents"
    return "\(resolution)x\(resolution) \(what), " + (kind == .vae ? latents : conditions)
  }
}
