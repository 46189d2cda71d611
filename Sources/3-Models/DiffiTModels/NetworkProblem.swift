/// Why no network has some settings: the first setting that does not fit the others.
public struct NetworkProblem: Sendable, Hashable, CustomStringConvertible {
  /// The property of the settings, such as `headDim`.
  public let setting: String
  /// Its value, as an error shows it.
  public let found: String
  /// Completes "expected ...".
  public let expected: String
  /// What to change; empty where `expected` says it all.
  public let remedy: String

  init(_ setting: String, _ found: some Any, expected: String, remedy: String = "") {
    (self.setting, self.found) = (setting, "\(found)")
    (self.expected, self.remedy) = (expected, remedy)
  }

  public var description: String { "\(setting) is \(found); expected \(expected)" }

  /// The first of some settings that is not above 0.
  static func firstNotPositive(_ settings: KeyValuePairs<String, Int>) -> NetworkProblem? {
    settings.first { $0.value <= 0 }.map { NetworkProblem($0.key, $0.value, expected: "1 or more") }
  }
}
