/// How long and on what a run trains.
public struct TrainSettings: Codable, Equatable, Sendable {
  public enum Precision: String, Codable, CaseIterable, Sendable { case fp32, bf16 }

  /// Images seen at the end of the run.
  public var images = 200_000_000
  /// Images a step, over all ranks.
  public var batch = 512
  /// Images a rank runs at once. 0: chosen from memory, and kept for the rest of the run.
  public var microBatch = 0
  public var seed = 0
  public var precision = Precision.fp32
  /// Threads a rank. 0: chosen from the cores it may use.
  public var threads = 0

  public init() {}

  public enum CodingKeys: String, CodingKey {
    case images, batch, seed, precision, threads
    case microBatch = "micro_batch"
  }
}

extension TrainSettings: SettingsSection {
  typealias Key = CodingKeys

  static var settings: [Setting<TrainSettings>] {
    [
      Setting(Key.images, \.images, .images),
      Setting(Key.batch, \.batch, .whole),
      Setting(Key.microBatch, \.microBatch, .whole),
      Setting(Key.seed, \.seed, .whole),
      Setting(Key.precision, \.precision, .choice),
      Setting(Key.threads, \.threads, .whole),
    ]
  }

  func validate() throws(SettingProblem) {
    try require(.images, images, in: 1...ImageCount.largest)
    try require(.batch, batch, in: 1...16_777_216)
    try require(
      microBatch >= 0 && microBatch <= batch, .microBatch, microBatch,
      expected: "0 (chosen) or at most train.batch, which is \(batch)")
    try require(.seed, seed, in: 0...Int.max)
    try requireBuilt(.precision, precision, only: .fp32)
    try require(.threads, threads, in: 0...4_096)
  }
}
