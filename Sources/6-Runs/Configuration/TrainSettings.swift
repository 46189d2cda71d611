import TensorCore

/// How long and on what a run trains.
package struct TrainSettings: Codable, Equatable, Sendable {
  /// Type of activations and of what products multiply; the rest is f32 in any case.
  package enum Precision: String, Codable, CaseIterable, Sendable {
    case fp32, bf16

    package var dtype: DType { self == .fp32 ? .float32 : .bfloat16 }
  }

  /// Images seen at the end of the run.
  package var images = 200_000_000
  /// Images a step, over all ranks.
  package var batch = 512
  /// Images a rank runs at once. 0: chosen from memory, and kept for the rest of the run.
  package var microBatch = 0
  package var seed = 0
  package var precision = Precision.bf16
  /// Threads a rank. 0: chosen from the cores it may use.
  package var threads = 0
  /// Compute the activations of each ResBlock again in backward: less memory, more time.
  package var recompute = false

  package init() {}

  package enum CodingKeys: String, CodingKey {
    case images, batch, seed, precision, threads, recompute
    case microBatch = "micro_batch"
  }
}

extension TrainSettings: SettingsSection {
  typealias Key = CodingKeys

  package static var settings: [Setting<TrainSettings>] {
    [
      Setting(Key.images, \.images, .images),
      Setting(Key.batch, \.batch, .whole),
      Setting(Key.microBatch, \.microBatch, .whole),
      Setting(Key.seed, \.seed, .whole),
      Setting(Key.precision, \.precision, .choice),
      Setting(Key.threads, \.threads, .whole),
      Setting(Key.recompute, \.recompute, .flag),
    ]
  }

  package func validate() throws(SettingProblem) {
    try require(.images, images, in: 1...ImageCount.largest)
    try require(.batch, batch, in: 1...16_777_216)
    try require(
      microBatch >= 0 && microBatch <= batch, .microBatch, microBatch,
      expected: "0 (chosen) or at most train.batch, which is \(batch)")
    try require(.seed, seed, in: 0...Int.max)
    try require(.threads, threads, in: 0...4_096)
  }
}
