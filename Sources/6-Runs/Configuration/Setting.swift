import Yams

/// One key of a section: its name, and how its value is read and written.
package struct Setting<Section>: Sendable {
  let name: String
  let expected: String
  let isList: Bool
  /// False where the node does not hold a value of the key's type.
  let read: @Sendable (Node, inout Section) -> Bool
  let write: @Sendable (Section) -> Node

  init<Value>(
    _ key: some CodingKey, _ path: any WritableKeyPath<Section, Value> & Sendable,
    _ type: SettingType<Value>
  ) {
    name = key.stringValue
    expected = type.expected
    isList = type.isList
    read = { node, section in
      guard let value = type.read(node) else { return false }
      section[keyPath: path] = value
      return true
    }
    write = { type.write($0[keyPath: path]) }
  }

  /// The same key seen from the value that holds the section.
  init<Inner>(
    _ inner: Setting<Inner>, in section: String,
    at path: any WritableKeyPath<Section, Inner> & Sendable
  ) {
    name = "\(section).\(inner.name)"
    expected = inner.expected
    isList = inner.isList
    read = { node, outer in inner.read(node, &outer[keyPath: path]) }
    write = { inner.write($0[keyPath: path]) }
  }
}

/// A group of settings with one owner: it knows its keys and what their values must obey.
protocol SettingsSection: Sendable {
  associatedtype Key: CodingKey
  static var settings: [Setting<Self>] { get }
  /// Throws for the first value that cannot work, whatever the other sections say.
  func validate() throws(SettingProblem)
}

/// A value that cannot work, in words that do not know where it was written.
package struct SettingProblem: Error {
  let key: String
  let found: String
  let expected: String
  /// How to mend it; empty: the default is named.
  let remedy: String
}

extension SettingsSection {
  func require(
    _ holds: Bool, _ key: Key, _ found: some Any, expected: String, remedy: String = ""
  ) throws(SettingProblem) {
    if holds { return }
    throw SettingProblem(
      key: key.stringValue, found: "\(found)", expected: expected, remedy: remedy)
  }

  func require(_ key: Key, _ value: Int, in range: ClosedRange<Int>) throws(SettingProblem) {
    try require(
      range.contains(value), key, value,
      expected: range.upperBound == .max
        ? "\(range.lowerBound) or more" : "\(range.lowerBound) to \(range.upperBound)")
  }

  func require(_ key: Key, _ value: Double, in range: ClosedRange<Double>) throws(SettingProblem) {
    try require(
      range.contains(value), key, value, expected: "\(range.lowerBound) to \(range.upperBound)")
  }

  func requirePositive(_ key: Key, _ value: Double) throws(SettingProblem) {
    try require(value > 0, key, value, expected: "a number above 0")
  }

  func requireNotNegative(_ key: Key, _ value: Double) throws(SettingProblem) {
    try require(value >= 0, key, value, expected: "0 or a number above 0")
  }
}
