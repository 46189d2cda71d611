import TensorCore

/// How long and on what a run trains.
package struct TrainSettings: Equatable, Sendable {
  /// Type of activations and of what products multiply; the rest is f32 in any case.
  package enum Precision: String, Codable, CaseIterable, Sendable {
    case fp32, bf16

    package var dtype: DType { self == .fp32 ? .float32 : .bfloat16 }
  }

  /// Images seen at the end of the run.
  package var images = 200_000_000
  /// Images per step, over all ranks.
  package var batch = 512
  /// Images a rank runs at once. 0: chosen from memory, and kept for the rest of the run.
  package var microBatch = 0
  /// Seed of all that is random in a run.
  package var seed = 0
  /// What products multiply.
  package var precision = Precision.bf16
  /// Threads per rank. 0: chosen from the cores it may use.
  package var threads = 0
  /// Compute the activations of each ResBlock again in backward: less memory, more time.
  package var recompute = false

  package init() {}
}

extension TrainSettings: SettingsSection {
  static let meaning = "How long and on what a run trains."

  static let settings: [Setting<TrainSettings>] = [
    Setting(
      "images", \.images, .images, .range(1...ImageCount.largest),
      "Images that the run sees in all, repetitions counted."),
    Setting(
      "batch", \.batch, .whole, .range(1...16_777_216), "Images per step, over all ranks together."),
    Setting(
      "micro_batch", \.microBatch, .whole, .range(0...16_777_216),
      """
      Images that a rank runs at once. 0: chosen from memory and cores, saved with the run, and \
      kept when it resumes.
      """),
    Setting(
      "seed", \.seed, .whole, .range(0...Int.max),
      "Seed of weights, order of the data, augmentation, noise and dropout."),
    Setting(
      "precision", \.precision, .choice,
      """
      What products multiply, and the type of the activations inside ResBlocks of 32 channels or \
      more. Everything else is fp32 in any case.
      """),
    Setting(
      "threads", \.threads, .whole, .range(0...ThreadPool.largestCount),
      "Threads per rank. 0: chosen from the cores that the rank may use."),
    Setting(
      "recompute", \.recompute, .flag,
      """
      Whether only the input of each ResBlock is kept, and the rest is computed again in \
      backward. The bits are the same; it takes less memory and more time.
      """),
  ]

  func validate() throws(SettingProblem) {
    try require(
      microBatch <= batch, \.microBatch,
      expected: "0 (chosen) or at most train.batch, which is \(batch)")
  }
}
