/// A setting that a checkpoint was saved with and that is another now.
public struct ConfigurationDifference: Equatable, Sendable, CustomStringConvertible {
  /// The dotted key, such as `train.batch`.
  public let key: String
  /// Nil where the saved configuration has no such key.
  public let saved: String?
  /// Nil where the present configuration has no such key.
  public let now: String?

  public init(key: String, saved: String?, now: String?) {
    (self.key, self.saved, self.now) = (key, saved, now)
  }

  public var description: String {
    "\(key) was \(saved ?? "not set"), is \(now ?? "not set")"
  }

  /// The differences under keys that must be the same, sorted by key.
  ///
  /// - Parameter keys: dotted keys (`train.seed`) or whole sections (`model`).
  public static func between(
    saved: [String: String], now: [String: String], keys: [String]
  ) -> [ConfigurationDifference] {
    Set(saved.keys).union(now.keys).sorted()
      .filter { key in keys.contains { key == $0 || key.hasPrefix("\($0).") } }
      .filter { saved[$0] != now[$0] }
      .map { ConfigurationDifference(key: $0, saved: saved[$0], now: now[$0]) }
  }
}
