/// Adam, its learning-rate ramp and what is done about gradients that are too large or not finite.
package struct OptimizerSettings: Equatable, Sendable {
  package enum NonFinitePolicy: String, CaseIterable, Sendable {
    /// Leaves the update out, on all ranks, and counts it.
    case skip
    /// Ends the run, on all ranks.
    case stop
  }

  /// Peak learning rate.
  package var lr = 1e-3
  /// Images over which the learning rate rises linearly from 0. 0: full from the first step.
  package var warmup = 10_000_000
  /// Decay of Adam's two moments per step.
  package var betas = [0.9, 0.999]
  /// Adam's epsilon.
  package var eps = 1e-8
  /// Decoupled weight decay.
  package var weightDecay = 0.0
  /// Largest norm of the gradient of all parameters. 0: not clipped.
  package var clipNorm = 0.0
  /// What is done about a loss or gradient that is not finite.
  package var onNonFinite = NonFinitePolicy.skip
  /// With `skip`: the run ends after so many updates in a row that were left out. 0: never.
  package var maxSkipped = 50

  package init() {}
}

extension OptimizerSettings: SettingsSection {
  static let meaning =
    "Adam, its learning rate, and what is done about gradients that are too large or not finite."

  static let settings: [Setting<OptimizerSettings>] = [
    Setting("lr", \.lr, .number, .notNegative, "Peak learning rate."),
    Setting(
      "warmup", \.warmup, .images, .range(0...ImageCount.largest),
      "Images over which the learning rate rises from 0 to its peak. 0: the peak from the first step."
    ),
    Setting(
      "betas", \.betas, .numbers,
      """
      How much of Adam's first and second moment is kept per step: two numbers, each 0 or more \
      and below 1.
      """),
    Setting(
      "eps", \.eps, .number, .positive,
      "Adam's epsilon, which is added to the root of the second moment."),
    Setting(
      "weight_decay", \.weightDecay, .number, .notNegative,
      "Decoupled weight decay, as in AdamW. 0: none."),
    Setting(
      "clip_norm", \.clipNorm, .number, .notNegative,
      "Largest norm of the gradient of all parameters; a longer one is scaled down to it. 0: none is."
    ),
    Setting(
      "on_nonfinite", \.onNonFinite, .choice,
      """
      What happens on all ranks when the loss or a gradient is not finite: `skip` leaves the \
      update out and counts it, `stop` ends the run.
      """),
    Setting(
      "max_skipped", \.maxSkipped, .whole, .range(0...1_000_000_000),
      """
      With `on_nonfinite` `skip`: after so many updates in a row that were left out the run ends \
      with an error, and the newest checkpoint from before is kept. 0: never.
      """),
  ]

  func validate() throws(SettingProblem) {
    try require(
      betas.count == 2 && betas.allSatisfy { $0 >= 0 && $0 < 1 }, \.betas,
      expected: "two numbers, each 0 or more and below 1")
  }
}
