/// The network.
///
/// Source: arXiv:2312.02139v3, Fig. 4 and Tables S.2, S.3. `channels[i]` and `blocks[i]` are the width
/// and the number of ResBlocks of stage `i`, finest first; stage `i` has side `resolution >> i`.
public struct ModelSettings: Codable, Equatable, Sendable {
  public enum Kind: String, Codable, CaseIterable, Sendable { case image, latent, vae }

  public var kind = Kind.image
  /// Side of an image, in pixels.
  public var resolution = 32
  public var channels = [128, 256, 256]
  public var blocks = [4, 4, 4]
  /// Side of an attention window, in tokens; a coarser stage uses min(window, its side).
  public var window = 4
  public var headDim = 32
  /// Width of the time token.
  public var timeDim = 512
  /// Width of the noise-level embedding.
  public var embedDim = 128
  /// 0: unconditional.
  public var classes = 0
  public var dropout = 0.13

  public init() {}

  public enum CodingKeys: String, CodingKey {
    case kind, resolution, channels, blocks, window, classes, dropout
    case headDim = "head_dim"
    case timeDim = "time_dim"
    case embedDim = "embed_dim"
  }

  /// Sides of the stages, in tokens, finest first.
  public var sides: [Int] { channels.indices.map { resolution >> $0 } }
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
    ]
  }

  func validate() throws(SettingProblem) {
    try requireBuilt(.kind, kind, only: .image)
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
    try validateStages()
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
