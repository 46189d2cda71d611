/// How the ranks share their work.
public struct ParallelSettings: Codable, Equatable, Sendable {
  public enum Reduction: String, Codable, CaseIterable, Sendable {
    /// The MPI library's own all-reduce.
    case fast
    /// The same bits on any power-of-two number of ranks up to `shards`.
    case reproducible
  }
  public enum Wire: String, Codable, CaseIterable, Sendable { case fp32, bf16 }

  public var reduction = Reduction.fast
  /// Canonical parts of a batch in a reproducible reduction; a power of two.
  public var shards = 8
  /// What gradients are sent as.
  public var wire = Wire.fp32
  /// Gradients sent at once, in 10^6 bytes.
  public var bucketMB = 25.0
  public var shardOptimizer = false
  /// Seconds after which a rank that does not move is taken for stuck. 0: never.
  public var timeout = 600

  public init() {}

  public enum CodingKeys: String, CodingKey {
    case reduction, shards, wire, timeout
    case bucketMB = "bucket_mb"
    case shardOptimizer = "shard_optimizer"
  }
}

extension ParallelSettings: SettingsSection {
  typealias Key = CodingKeys

  static var settings: [Setting<ParallelSettings>] {
    [
      Setting(Key.reduction, \.reduction, .choice),
      Setting(Key.shards, \.shards, .whole),
      Setting(Key.wire, \.wire, .choice),
      Setting(Key.bucketMB, \.bucketMB, .number),
      Setting(Key.shardOptimizer, \.shardOptimizer, .flag),
      Setting(Key.timeout, \.timeout, .whole),
    ]
  }

  func validate() throws(SettingProblem) {
    try requireBuilt(.reduction, reduction, only: .fast)
    try require(
      shards >= 1 && shards <= 4_096 && shards.nonzeroBitCount == 1, .shards, shards,
      expected: "a power of two, 1 to 4096")
    try requireBuilt(.wire, wire, only: .fp32)
    try require(
      bucketMB > 0 && bucketMB <= 100_000, .bucketMB, bucketMB,
      expected: "a number above 0, at most 100000")
    try requireBuilt(.shardOptimizer, shardOptimizer, only: false)
    try require(.timeout, timeout, in: 0...1_000_000)
  }
}
