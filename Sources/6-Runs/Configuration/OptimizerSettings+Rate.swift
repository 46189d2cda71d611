import Optimization

extension OptimizerSettings {
  /// The learning rate of each step of a run of `total` images.
  package func learningRate(images total: Int) -> LearningRate {
    let warmup = warmup.images(of: total)
    let start = decayStart.images(of: total)
    let schedule: LearningRate.Schedule =
      switch schedule {
      case .constant: .constant
      case .inverseSquareRoot: .inverseSquareRoot(start: max(start > 0 ? start : warmup, 1))
      case .cosine: .cosine
      case .linear: .linear
      }
    return LearningRate(
      peak: lr, warmup: warmup, schedule: schedule, cooldown: cooldown.images(of: total),
      images: total)
  }

  /// Whether the schedule ends at 0 by itself.
  var endsAtZero: Bool { schedule == .cosine || schedule == .linear }

  /// Whether the rate of a step depends on the length of the run.
  var rateNeedsLength: Bool {
    endsAtZero || !cooldown.isZero
      || [warmup, decayStart].contains { $0.isShare && !$0.isZero }
  }

  /// A run of `total` images is long enough for its warm-up and its cool-down.
  func validateRate(images total: Int) throws(SettingProblem) {
    let rate = learningRate(images: total)
    try require(
      !endsAtZero || rate.warmup < total, \.warmup,
      expected: "less than train.images, which is \(total)",
      remedy: "set a share such as optimizer.warmup=10%, or more train.images")
    try require(
      rate.cooldown == 0 || rate.warmup + rate.cooldown <= total, \.cooldown,
      expected: "with optimizer.warmup at most train.images, which is \(total)",
      remedy: "set a share such as optimizer.cooldown=10%, or more train.images")
  }
}
