import CommandSupport
import Configuration

/// Settings that suit a number of images, each with its reason.
///
/// The rules are those of docs/recipes.md: they are rules of thumb, from the recipes of EDM and EDM2
/// cut down in proportion to the run, and from the square-root rule for Adam.
package struct Recipe {
  /// What the run sees at least before the recipe takes over what keeps long runs from learning
  /// their images by heart: dropout and the augmentation pipe.
  static let longRun = 10_000_000
  /// Updates that a run should make.
  static let updates = 5_000
  /// Batches that are proposed.
  static let batches = 32...512

  /// The settings, valid.
  package private(set) var configuration: Configuration
  /// Why a setting has its value: by key, or by the section for a list.
  package private(set) var reasons: [(key: String, text: String)] = []

  /// Changes settings to suit a run of `images` images.
  package init(_ given: Configuration, images: Int) throws(ConfigurationError) {
    configuration = given
    set("train.images", "the budget") { $0.train.images = images }
    chooseBatch(images)
    chooseRate(given, images)
    chooseAverages(images)
    chooseRegularisation(images)
    chooseIntervals(images)
    try configuration.validate()
  }

  private mutating func set(_ key: String, _ why: String, _ change: (inout Configuration) -> Void) {
    change(&configuration)
    reasons.append((key, why))
  }

  /// Notes why a setting was chosen that `init` does not choose itself.
  mutating func note(_ key: String, _ why: String) { reasons.insert((key, why), at: 0) }

  private mutating func chooseBatch(_ images: Int) {
    var batch = Self.batches.lowerBound
    while batch < Self.batches.upperBound && 2 * images >= 3 * batch * Self.updates { batch *= 2 }
    set(
      "train.batch", "a power of two that gives about \(Self.updates) updates, in \(Self.batches)"
    ) {
      $0.train.batch = batch
      $0.train.microBatch = min($0.train.microBatch, batch)
    }
  }

  private mutating func chooseRate(_ given: Configuration, _ images: Int) {
    let (before, now) = (given.train.batch, configuration.train.batch)
    let ratio = Double(now) / Double(before)
    let rate = rounded(given.optimizer.lr * ratio.squareRoot())
    set(
      "optimizer.lr",
      "\(given.optimizer.lr) at batch \(before), by the square-root rule for Adam; the first"
        + " thing to vary, by factors of 2"
    ) { $0.optimizer.lr = rate }
    let second = min(max(1 - ratio * (1 - given.optimizer.betas[1]), 0.9), 0.9999)
    set("optimizer.betas", "the second one averages over about as many images as before") {
      $0.optimizer.betas[1] = rounded(second)
    }
    let warmup = min(images / 10, 200_000)
    set("optimizer.warmup", "a tenth of the run, at most 200,000 images") {
      $0.optimizer.warmup = .images(warmup)
    }
    let isLong = images >= Self.longRun
    set(
      "optimizer.schedule",
      isLong
        ? "EDM2's decay for long runs" : "averages of the weights do what a decay would do"
    ) {
      $0.optimizer.schedule = isLong ? .inverseSquareRoot : .constant
      $0.optimizer.decayStart = isLong ? .share(percent: 3.5) : 0
      $0.optimizer.cooldown = 0
    }
  }

  private mutating func chooseAverages(_ images: Int) {
    set(
      "ema",
      "the first over 5 % of the run, for samples on the way; the others are what `diffit export"
        + " --ema-length` makes averages of any length of"
    ) {
      var (first, short, long) = (EMASettings(), EMASettings(), EMASettings())
      first.halfLife = max(images / 20, 1)
      (short.name, short.length) = ("short", 0.05)
      (long.name, long.length) = ("long", 0.10)
      $0.ema = [first, short, long]
    }
    set("checkpoint.snapshots", "16 snapshots of the power-function averages") {
      $0.checkpoint.snapshots = max(images / 16, 1)
    }
  }

  private mutating func chooseRegularisation(_ images: Int) {
    guard images < Self.longRun else { return }
    set("model.dropout", "a run of less than 10M images does not learn images by heart") {
      $0.model.dropout = 0
    }
    guard configuration.data.kind != .latents else { return }
    set("data.augment", "as for dropout") { $0.data.augment = 0 }
    set("data.flip", "twice the images; set it to false where left and right differ") {
      $0.data.flip = true
    }
  }

  private mutating func chooseIntervals(_ images: Int) {
    let sixth = max(images / 6, 1)
    set("checkpoint.every", "six checkpoints in the run") { $0.checkpoint.every = sixth }
    set("sample.every", "six grids in the run") {
      if $0.sample.every > 0 { $0.sample.every = sixth }
    }
    set("log.every", "two hundred ticks in the run") { $0.log.every = max(images / 200, 1) }
  }
}

/// To two digits.
private func rounded(_ value: Double) -> Double {
  // 1 - value of a number near 1 has the digits that matter.
  guard value < 0.9 else { return 1 - rounded(1 - value) }
  guard value > 0 else { return 0 }
  var (scale, shown) = (1.0, value)
  while shown < 10 { (shown, scale) = (shown * 10, scale * 10) }
  return shown.rounded() / scale
}

extension Recipe {
  /// The settings as YAML, with the reasons as comments before the keys.
  package var yaml: String {
    var (lines, section) = ([String](), "")
    for line in configuration.yaml.split(separator: "\n", omittingEmptySubsequences: false) {
      let name = line.prefix { $0 != ":" }.trimmingPrefix { $0 == " " }
      let isSection = line.first.map { $0 != " " && $0 != "-" } ?? false
      if isSection { section = String(name) }
      let key = isSection ? section : "\(section).\(name)"
      let indentation = isSection ? "" : "  "
      for reason in reasons where reason.key == key {
        lines.append("\(indentation)# \(reason.text)")
      }
      lines.append(String(line))
    }
    return lines.joined(separator: "\n")
  }

  /// The chosen settings with their values and reasons, for people.
  package var lines: [String] {
    var table = TextTable([.left(), .left(), .left()])
    let texts = configuration.dotted
    for (key, why) in reasons {
      let value = key == "ema" ? configuration.ema.map(\.name).joined(separator: ", ") : texts[key]
      table.add([key, value ?? "", why])
    }
    return table.lines
  }
}
