/// The network.
///
/// Source: arXiv:2312.02139v3, Fig. 4 and Tables S.2, S.3. `channels[i]` and `blocks[i]` are the width
/// and the number of ResBlocks of stage `i`, finest first; stage `i` has side `resolution >> i`.
package struct ModelSettings: Codable, Equatable, Sendable {
  package enum Kind: String, Codable, CaseIterable, Sendable { case image, latent, vae }

  package var kind = Kind.image
  /// Side of what the network sees: pixels of an image, or latents.
  package var resolution = 32
  package var channels = [128, 256, 256]
  package var blocks = [4, 4, 4]
  /// Side of an attention window, in tokens; a coarser stage uses min(window, its side).
  package var window = 4
  package var headDim = 32
  /// Width of the time token.
  package var timeDim = 512
  /// Width of the noise-level embedding.
  package var embedDim = 128
  /// 0: unconditional.
  package var classes = 0
  package var dropout = 0.13
  /// Of `latent`: side of a token, in latents.
  package var patch = 2
  /// Of `latent`: channels of a token.
  package var width = 1152
  /// Of `latent`: blocks.
  package var depth = 28
  /// Of `latent`.
  package var heads = 16
  /// Of `latent` and `vae`: channels of a latent.
  package var latentChannels = 4
  /// Of `vae`: ResBlocks of a level in the encoder; the decoder has one more.
  package var layers = 2

  package init() {}

  package enum CodingKeys: String, CodingKey {
    case kind, resolution, channels, blocks, window, classes, dropout, patch, width, depth, heads
    case layers
    case headDim = "head_dim"
    case timeDim = "time_dim"
    case embedDim = "embed_dim"
    case latentChannels = "latent_channels"
  }

  /// Sides of the stages, in tokens, finest first.
  package var sides: [Int] { channels.indices.map { resolution >> $0 } }
}

extension ModelSettings: SettingsSection {
  typealias Key = CodingKeys

  static var settings: [Setting<ModelSettings>] {
    [
      Setting(Key.kind, \.kind, .choice),
      Setting(Key.resolution, \.resolution, .whole),
      Setting(Key.channels, \.channels, .wholes),
      Setting(Key.blocks, \.blocks, .wholes),
      Setting(Key.window, \.window, .whole),
      Setting(Key.headDim, \.headDim, .whole),
      Setting(Key.timeDim, \.timeDim, .whole),
      Setting(Key.embedDim, \.embedDim, .whole),
      Setting(Key.classes, \.classes, .whole),
      Setting(Key.dropout, \.dropout, .number),
      Setting(Key.patch, \.patch, .whole),
      Setting(Key.width, \.width, .whole),
      Setting(Key.depth, \.depth, .whole),
      Setting(Key.heads, \.heads, .whole),
      Setting(Key.latentChannels, \.latentChannels, .whole),
      Setting(Key.layers, \.layers, .whole),
    ]
  }

  func validate() throws(SettingProblem) {
    try require(.resolution, resolution, in: 1...16_384)
    try require(.window, window, in: 1...64)
    try require(.headDim, headDim, in: 1...1_024)
    try require(.timeDim, timeDim, in: 1...65_536)
    try require(
      embedDim >= 4 && embedDim <= 65_536 && embedDim % 2 == 0, .embedDim, embedDim,
      expected: "an even number, 4 to 65536 (a sine and a cosine a frequency)")
    try require(.classes, classes, in: 0...1_000_000)
    try require(
      dropout >= 0 && dropout < 1, .dropout, dropout, expected: "0 or more and below 1")
    try require(.patch, patch, in: 1...256)
    try require(.width, width, in: 4...16_384)
    try require(.depth, depth, in: 1...1_024)
    try require(.heads, heads, in: 1...1_024)
    try require(.latentChannels, latentChannels, in: 1...1_024)
    switch kind {
    case .image: try validateStages()
    case .latent: try validateTransformer()
    case .vae: try validateAutoencoder()
    }
  }

  private func validateAutoencoder() throws(SettingProblem) {
    try require(.layers, layers, in: 1...64)
    try require(
      !channels.isEmpty && channels.count <= 8 && channels.allSatisfy { (1...4_096).contains($0) },
      .channels, channels, expected: "the width of 1 to 8 levels, each 1 to 4096")
    let factor = 1 << (channels.count - 1)
    try require(
      resolution % factor == 0, .resolution, resolution,
      expected: "a multiple of \(factor), which \(channels.count) levels divide images by",
      remedy: "use another resolution or fewer levels in model.channels")
  }

  private func validateTransformer() throws(SettingProblem) {
    try require(
      resolution % patch == 0, .patch, patch,
      expected: "a divisor of model.resolution, which is \(resolution)")
    try require(
      resolution / patch <= 64, .resolution, resolution,
      expected: "at most 64 tokens a side, of \(patch) latents each",
      remedy: "use a smaller model.resolution or a larger model.patch")
    try require(
      width % 4 == 0 && width % heads == 0, .width, width,
      expected: "a multiple of 4 and of model.heads, which is \(heads)",
      remedy: "change model.width or model.heads")
  }

  private func validateStages() throws(SettingProblem) {
    try require(
      !channels.isEmpty && channels.allSatisfy { (4...4_096).contains($0) }
        && zip(channels, channels.dropFirst()).allSatisfy { $0 + $1 <= 4_096 }, .channels, channels,
      expected: "the width of at least one stage, each 4 to 4096, neighbours together at most 4096")
    try require(
      blocks.count == channels.count && blocks.allSatisfy { (1...1_024).contains($0) }, .blocks,
      blocks, expected: "one number of blocks, 1 to 1024, for each of the \(channels.count) stages",
      remedy: "give model.blocks and model.channels equally many entries")
    for width in channels {
      try require(
        width % headDim == 0, .headDim, headDim,
        expected: "a divisor of every stage's width (\(width) is not a multiple)",
        remedy: "use a divisor of \(channels.reduce(0, greatestCommonDivisor))")
    }
    let halvings = channels.count - 1
    try require(
      resolution >> halvings > 0 && (resolution >> halvings) << halvings == resolution, .resolution,
      resolution, expected: "a side that can be halved \(halvings) times without remainder",
      remedy: "use another resolution or fewer stages")
    for (stage, side) in sides.enumerated() {
      let fitting = (1...min(resolution, 64)).filter { window in
        sides.allSatisfy { $0 % min(window, $0) == 0 }
      }
      try require(
        side % min(window, side) == 0, .window, window,
        expected: "a window that divides every stage's side (stage \(stage) has \(side))",
        remedy: "use one of \(fitting.map(String.init).joined(separator: ", "))")
    }
  }

  private func greatestCommonDivisor(_ a: Int, _ b: Int) -> Int {
    a == 0 ? b : greatestCommonDivisor(b % a, a)
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
