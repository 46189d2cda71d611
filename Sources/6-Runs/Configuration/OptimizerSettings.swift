/// Adam, its learning-rate ramp and what is done about gradients that are too large or not finite.
package struct OptimizerSettings: Codable, Equatable, Sendable {
  package enum NonFinitePolicy: String, Codable, CaseIterable, Sendable {
    /// Leaves the update out, on all ranks, and counts it.
    case skip
    /// Ends the run, on all ranks.
    case stop
  }

  package var lr = 1e-3
  /// Images over which the learning rate rises linearly from 0. 0: full from the first step.
  package var warmup = 10_000_000
  package var betas = [0.9, 0.999]
  package var eps = 1e-8
  package var weightDecay = 0.0
  /// Largest norm of the gradient of all parameters. 0: not clipped.
  package var clipNorm = 0.0
  package var onNonFinite = NonFinitePolicy.skip

  package init() {}

  package enum CodingKeys: String, CodingKey {
    case lr, warmup, betas, eps
    case weightDecay = "weight_decay"
    case clipNorm = "clip_norm"
    case onNonFinite = "on_nonfinite"
  }
}

extension OptimizerSettings: SettingsSection {
  typealias Key = CodingKeys

  static var settings: [Setting<OptimizerSettings>] {
    [
      Setting(Key.lr, \.lr, .number),
      Setting(Key.warmup, \.warmup, .images),
      Setting(Key.betas, \.betas, .numbers),
      Setting(Key.eps, \.eps, .number),
      Setting(Key.weightDecay, \.weightDecay, .number),
      Setting(Key.clipNorm, \.clipNorm, .number),
      Setting(Key.onNonFinite, \.onNonFinite, .choice),
    ]
  }

  func validate() throws(SettingProblem) {
    try requireNotNegative(.lr, lr)
    try require(.warmup, warmup, in: 0...ImageCount.largest)
    try require(
      betas.count == 2 && betas.allSatisfy { $0 >= 0 && $0 < 1 }, .betas, betas,
      expected: "two numbers, each 0 or more and below 1")
    try requirePositive(.eps, eps)
    try requireNotNegative(.weightDecay, weightDecay)
    try requireNotNegative(.clipNorm, clipNorm)
  }
}
