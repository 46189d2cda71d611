import Collectives

/// How the ranks share their work.
package struct ParallelSettings: Equatable, Sendable {
  package enum Reduction: String, CaseIterable, Sendable {
    /// The MPI library's own all-reduce.
    case fast
    /// The same bits on any power-of-two number of ranks up to `shards`.
    case reproducible
  }
  package enum Wire: String, CaseIterable, Sendable { case fp32, bf16 }
  /// Who lets messages advance while backward runs.
  package enum Progress: String, CaseIterable, Sendable {
    /// The training thread, between operators.
    case calls
    /// A thread of its own.
    case thread
    /// Nobody: gradients are sent when backward has ended.
    case none
  }

  /// How gradients are added up.
  package var reduction = Reduction.fast
  /// Canonical parts of a batch in a reproducible reduction; a power of two.
  package var shards = 8
  /// What gradients are sent as.
  package var wire = Wire.fp32
  /// Gradients sent at once, in 10^6 bytes.
  package var bucketMB = 25.0
  /// ZeRO-1: each rank keeps only the moments and averages of its part.
  package var shardOptimizer = false
  /// Who lets messages advance while backward runs.
  package var progress = Progress.thread
  /// Images between comparisons of the ranks' states. 0: only at the start.
  package var checkEvery = 1_000_000
  /// Seconds after which a rank that does not move is taken for stuck. 0: never.
  package var timeout = 600

  package init() {}
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
  static let meaning = "How the ranks share their work."

  static let settings: [Setting<ParallelSettings>] = [
    Setting(
      "reduction", \.reduction, .choice,
      """
      How gradients are added up over ranks: `fast` is MPI's own sum; with `reproducible` the \
      bits do not depend on the number of ranks, which is a power of two up to `parallel.shards`.
      """),
    Setting(
      "shards", \.shards, .whole, .range(1...4_096),
      """
      Equal parts that a reproducible reduction cuts each batch into: a power of two that divides \
      `train.batch`.
      """),
    Setting(
      "wire", \.wire, .choice,
      "The type that gradients travel as. `bf16` halves the bytes and rounds."),
    Setting(
      "bucket_mb", \.bucketMB, .number, .positive(atMost: 100_000),
      "Size of the buckets that gradients are sent in, in MB."),
    Setting(
      "shard_optimizer", \.shardOptimizer, .flag,
      """
      Whether each rank keeps moments and averages only of its own part of the weights (ZeRO-1). \
      The bits stay the same.
      """),
    Setting(
      "progress", \.progress, .choice,
      """
      Who moves messages during backward: a `thread` of its own, the training thread between \
      operators (`calls`), or nobody (`none`: all gradients are sent after backward).
      """),
    Setting(
      "check_every", \.checkEvery, .images,
      "Images between two comparisons of the digests of the ranks' states. 0: only at the start."),
    Setting(
      "timeout", \.timeout, .whole, .range(0...1_000_000),
      "Seconds after which a rank that stands still is named and the job is ended. 0: never."),
  ]

  func validate() throws(SettingProblem) {
    try require(
      shards.nonzeroBitCount == 1, \.shards, expected: "a power of two, 1 to 4096")
  }
}
