/// A setting that differs between a checkpoint and the present configuration. `absent` stands for an
/// entry of `ema` that one of them does not have.
package struct ConfigurationDifference: Equatable, Sendable, CustomStringConvertible {
  package let key: String
  package let saved: String
  package let current: String

  package init(key: String, saved: String, current: String) {
    (self.key, self.saved, self.current) = (key, saved, current)
  }

  package var description: String { "\(key) was \(saved), is \(current)" }
}

extension Configuration {
  /// The keys a run keeps from its first step to its last; a name without a key stands for the whole
  /// section. All others (rank count, images, intervals, paths) may change on resume.
  package static let fixedForRun = [
    "model", "data.kind", "data.augment", "data.flip", "diffusion", "vae", "train.batch",
    "train.seed",
    "train.precision", "train.micro_batch", "optimizer", "ema", "parallel.reduction",
    "parallel.shards", "parallel.wire",
  ]

  /// Keys of fixed sections that may change all the same: they decide when a run ends.
  package static let freeForRun = ["optimizer.max_skipped"]

  /// Whether a dotted key must be the same on resume.
  package static func isFixedForRun(_ key: String) -> Bool {
    fixedForRun.contains { key == $0 || key.hasPrefix($0 + ".") } && !freeForRun.contains(key)
  }

  /// Takes over what the run chose by itself when it started: a micro-batch of 0 becomes the saved one.
  ///
  /// - Parameter saved: `dotted` of the configuration saved with the checkpoint.
  package mutating func adoptChoices(from saved: [String: String]) {
    if train.microBatch == 0, let chosen = saved["train.micro_batch"].flatMap({ Int($0) }) {
      train.microBatch = chosen
    }
  }

  /// The fixed settings that differ from a checkpoint's, in the order of the sections.
  ///
  /// A key the checkpoint does not know, because an older version wrote it, counts as its default.
  package func differences(from saved: [String: String]) -> [ConfigurationDifference] {
    let current = dotted
    let defaults = Configuration().dotted
    let own = entries.map(\.key)
    let foreign = saved.keys.filter { current[$0] == nil }.sorted()
    // The rate of the steps that were made already depends on the length as well.
    func isFixed(_ key: String) -> Bool {
      Configuration.isFixedForRun(key) || key == "train.images" && optimizer.rateNeedsLength
    }
    // Every entry of a list that was saved has the defaults of the first.
    func defaultText(_ key: String) -> String? {
      let parts = key.split(separator: ".")
      guard parts.count == 3 else { return defaults[key] }
      let isSaved = saved.keys.contains { $0.hasPrefix("\(parts[0]).\(parts[1]).") }
      return isSaved ? defaults["\(parts[0]).0.\(parts[2])"] : nil
    }
    return (own + foreign).filter(isFixed).compactMap { key in
      let before = saved[key] ?? defaultText(key) ?? "absent"
      let now = current[key] ?? "absent"
      return before == now ? nil : ConfigurationDifference(key: key, saved: before, current: now)
    }
  }
}
