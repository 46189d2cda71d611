/// The optimiser, its learning rate and what is done about gradients that are too large or not finite.
package struct OptimizerSettings: Equatable, Sendable {
  package enum Kind: String, CaseIterable, Sendable { case adam, muon }
  package enum Schedule: String, CaseIterable, Sendable {
    case constant
    case inverseSquareRoot = "inverse_sqrt"
    case cosine, linear
  }
  package enum NonFinitePolicy: String, CaseIterable, Sendable {
    /// Leaves the update out, on all ranks, and counts it.
    case skip
    /// Ends the run, on all ranks.
    case stop
  }

  /// What updates the matrices of hidden layers; everything else is updated by Adam.
  package var kind = Kind.adam
  /// Peak learning rate.
  package var lr = 1e-3
  /// Images over which the learning rate rises linearly from 0. 0: full from the first step.
  package var warmup = ImageSpan.images(10_000_000)
  /// How the learning rate goes on after that.
  package var schedule = Schedule.constant
  /// Images from which `inverse_sqrt` falls. 0: from the end of the warm-up.
  package var decayStart = ImageSpan.images(0)
  /// The last images of the run, over which the learning rate falls to 0. 0: none.
  package var cooldown = ImageSpan.images(0)
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
    Setting(
      "kind", \.kind, .choice,
      """
      What updates the matrices of hidden layers: `adam`, or `muon`, which orthogonalises the \
      momentum of each. Adam updates everything else in any case, at the same learning rate.
      """),
    Setting("lr", \.lr, .number, .notNegative, "Peak learning rate."),
    Setting(
      "warmup", \.warmup, .imageSpan,
      """
      Images over which the learning rate rises from 0 to its peak, or a share of the run, as \
      `5%`. 0: the peak from the first step.
      """),
    Setting(
      "schedule", \.schedule, .choice,
      """
      How the learning rate goes on after the warm-up. `constant` keeps its peak; `inverse_sqrt` \
      falls with the root of the images seen; `cosine` and `linear` fall to 0 at the end of the run.
      """),
    Setting(
      "decay_start", \.decayStart, .imageSpan,
      """
      Of `inverse_sqrt`: images, or the share of the run, after which the learning rate begins to \
      fall. 0: at the end of the warm-up.
      """),
    Setting(
      "cooldown", \.cooldown, .imageSpan,
      """
      The last images of the run, or its last share, over which the learning rate of `constant` \
      and `inverse_sqrt` falls to 0 in a straight line. 0: it does not.
      """),
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
    try require(
      !endsAtZero || cooldown.isZero, \.cooldown,
      expected: "0 with optimizer.schedule \(schedule.rawValue), which ends at 0 by itself",
      remedy: "leave it out, or set optimizer.schedule to constant or inverse_sqrt")
    try require(
      schedule == .inverseSquareRoot || decayStart.isZero, \.decayStart,
      expected: "0 with optimizer.schedule \(schedule.rawValue)",
      remedy: "leave it out, or set optimizer.schedule=inverse_sqrt")
    try require(
      schedule != .inverseSquareRoot || !decayStart.isZero || !warmup.isZero, \.decayStart,
      expected: "images or a share above 0 where optimizer.warmup is 0",
      remedy: "set optimizer.decay_start or optimizer.warmup")
  }
}
