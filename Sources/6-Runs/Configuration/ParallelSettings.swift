import Collectives

/// How the ranks share their work.
package struct ParallelSettings: Codable, Equatable, Sendable {
  package enum Reduction: String, Codable, CaseIterable, Sendable {
    /// The MPI library's own all-reduce.
    case fast
    /// The same bits on any power-of-two number of ranks up to `shards`.
    case reproducible
  }
  package enum Wire: String, Codable, CaseIterable, Sendable { case fp32, bf16 }
  /// Who lets messages advance while backward runs.
  package enum Progress: String, Codable, CaseIterable, Sendable {
    /// The training thread, between operators.
    case calls
    /// A thread of its own.
    case thread
    /// Nobody: gradients are sent when backward has ended.
    case none
  }

  package var reduction = Reduction.fast
  /// Canonical parts of a batch in a reproducible reduction; a power of two.
  package var shards = 8
  /// What gradients are sent as.
  package var wire = Wire.fp32
  /// Gradients sent at once, in 10^6 bytes.
  package var bucketMB = 25.0
  /// ZeRO-1: each rank keeps the moments and averages of its part alone.
  package var shardOptimizer = false
  package var progress = Progress.thread
  /// Images between comparisons of the replicas. 0: only at the start.
  package var checkEvery = 1_000_000
  /// Seconds after which a rank that does not move is taken for stuck. 0: never.
  package var timeout = 600

  package init() {}

  package enum CodingKeys: String, CodingKey {
    case reduction, shards, wire, progress, timeout
    case bucketMB = "bucket_mb"
    case shardOptimizer = "shard_optimizer"
    case checkEvery = "check_every"
  }
}

extension ParallelSettings {
  /// For the header of a run.
  package var summary: String {
    let order =
      reduction == .fast ? "fast" : "reproducible over \(shards) shards of a batch"
    return order + ", \(wire) on the wire"
      + (shardOptimizer ? ", each rank updating its part of the weights" : "")
  }
}

extension ParallelSettings: SettingsSection {
  typealias Key = CodingKeys

  package static var settings: [Setting<ParallelSettings>] {
    [
      Setting(Key.reduction, \.reduction, .choice),
      Setting(Key.shards, \.shards, .whole),
      Setting(Key.wire, \.wire, .choice),
      Setting(Key.bucketMB, \.bucketMB, .number),
      Setting(Key.shardOptimizer, \.shardOptimizer, .flag),
      Setting(Key.progress, \.progress, .choice),
      Setting(Key.checkEvery, \.checkEvery, .images),
      Setting(Key.timeout, \.timeout, .whole),
    ]
  }

  package func validate() throws(SettingProblem) {
    try require(
      shards >= 1 && shards <= 4_096 && shards.nonzeroBitCount == 1, .shards, shards,
      expected: "a power of two, 1 to 4096")
    try require(
      bucketMB > 0 && bucketMB <= 100_000, .bucketMB, bucketMB,
      expected: "a number above 0, at most 100000")
    try require(.timeout, timeout, in: 0...1_000_000)
  }
}
