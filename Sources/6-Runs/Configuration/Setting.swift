import Yams

/// One key of a section: its name, its type, what it means, which values it takes, and how its value is
/// read and written. The only place that names the key.
///
/// ```
/// Setting("window", \.image.window, .whole, .range(1...64), "Side of an attention window, in tokens.")
/// ```
package struct Setting<Section>: Sendable {
  /// As in YAML, such as `window`; with the section in front (`model.window`) where `Section` is
  /// `Configuration`.
  package let name: String
  /// What the value means, in whole sentences for the people who set it; Markdown's backquotes around
  /// values and names.
  package let meaning: String
  /// Type and allowed values, such as `whole number, 1 to 64`.
  package let kind: String
  /// What an error says was expected of a value of another type.
  let expected: String
  /// Whether `--set` splits the value at commas.
  let isList: Bool
  /// Which property of the section holds the value; nil where the section is inside `Section`.
  let path: (any PartialKeyPath<Section> & Sendable)?
  /// Puts the node's value into the section. False where the node holds no value of the key's type.
  let read: @Sendable (Node, inout Section) -> Bool
  let write: @Sendable (Section) -> Node
  /// Why the present value cannot work, whatever the other keys say; nil where it can.
  let problem: @Sendable (Section) -> SettingProblem?

  /// - Parameters:
  ///   - rule: which values of the type work, as far as the key can tell without the others.
  init<Value>(
    _ name: String, _ path: any WritableKeyPath<Section, Value> & Sendable,
    _ type: SettingType<Value>, _ rule: SettingRule<Value>?, _ meaning: String
  ) {
    (self.name, self.meaning, self.path) = (name, meaning, path)
    kind = rule.map { "\(type.name), \($0.note ?? $0.expected)" } ?? type.name
    expected = type.expected
    isList = type.isList
    read = { node, section in
      guard let value = type.read(node) else { return false }
      section[keyPath: path] = value
      return true
    }
    write = { type.write($0[keyPath: path]) }
    problem = { section in
      let value = section[keyPath: path]
      guard let rule, !rule.holds(value) else { return nil }
      return SettingProblem(key: name, found: text(value), expected: rule.expected, remedy: "")
    }
  }

  /// A key that takes every value of its type.
  init<Value>(
    _ name: String, _ path: any WritableKeyPath<Section, Value> & Sendable,
    _ type: SettingType<Value>, _ meaning: String
  ) {
    self.init(name, path, type, nil, meaning)
  }

  /// The same key seen from the value that holds the section.
  init<Inner>(
    _ inner: Setting<Inner>, in section: String,
    at path: any WritableKeyPath<Section, Inner> & Sendable
  ) {
    name = "\(section).\(inner.name)"
    (meaning, kind, expected) = (inner.meaning, inner.kind, inner.expected)
    isList = inner.isList
    self.path = nil
    read = { node, outer in inner.read(node, &outer[keyPath: path]) }
    write = { inner.write($0[keyPath: path]) }
    problem = { inner.problem($0[keyPath: path]) }
  }
}

/// Which values of a type work.
struct SettingRule<Value>: Sendable {
  /// Completes "expected ...".
  let expected: String
  /// What lists of settings say behind the type; nil: the same.
  var note: String?
  let holds: @Sendable (Value) -> Bool
}

extension SettingRule where Value == Int {
  static func range(_ range: ClosedRange<Int>) -> Self {
    let hasEnd = range.upperBound != .max && range.upperBound != ImageCount.largest
    let expected =
      hasEnd ? "\(range.lowerBound) to \(range.upperBound)" : "\(range.lowerBound) or more"
    return SettingRule(expected: expected) { range.contains($0) }
  }
}

extension SettingRule where Value == [Int] {
  /// Of every entry of a list.
  static func each(_ range: ClosedRange<Int>) -> Self {
    SettingRule(expected: "each \(range.lowerBound) to \(range.upperBound)") {
      $0.allSatisfy(range.contains)
    }
  }
}

extension SettingRule where Value == Double? {
  static var notNegativeOrAuto: Self {
    SettingRule(expected: "a number from 0 on, or auto", note: "0 or more") { $0 ?? 0 >= 0 }
  }
}

extension SettingRule where Value == Double {
  static func range(_ range: ClosedRange<Double>) -> Self {
    let (least, most) = (DecimalText.short(range.lowerBound), DecimalText.short(range.upperBound))
    return SettingRule(expected: "\(least) to \(most)") { range.contains($0) }
  }

  static func range(_ range: Range<Double>) -> Self {
    let (least, end) = (DecimalText.short(range.lowerBound), DecimalText.short(range.upperBound))
    return SettingRule(expected: "\(least) or more and below \(end)") { range.contains($0) }
  }

  static var positive: Self {
    SettingRule(expected: "a number above 0", note: "above 0") { $0 > 0 }
  }

  static func positive(atMost limit: Double) -> Self {
    let note = "above 0, at most \(DecimalText.short(limit))"
    return SettingRule(expected: "a number \(note)", note: note) { $0 > 0 && $0 <= limit }
  }

  static var notNegative: Self {
    SettingRule(expected: "0 or a number above 0", note: "0 or more") { $0 >= 0 && $0.isFinite }
  }
}

/// A group of settings with one owner: it knows its keys and what their values must obey.
protocol SettingsSection: Sendable {
  /// What the section is about, in whole sentences for the people who set it.
  static var meaning: String { get }
  static var settings: [Setting<Self>] { get }
  /// Throws for the first value that does not fit the other values of the section.
  func validate() throws(SettingProblem)
}

/// A value that cannot work, in words that do not know where it was written.
package struct SettingProblem: Error {
  /// The key within its section.
  let key: String
  let found: String
  /// Completes "expected ...".
  let expected: String
  /// How to mend it; empty: the default is named.
  let remedy: String
}

extension SettingsSection {
  func validate() throws(SettingProblem) {}

  /// Throws unless `holds`, about the value at `path`.
  func require(
    _ holds: Bool, _ path: any PartialKeyPath<Self> & Sendable, expected: String,
    remedy: String = ""
  ) throws(SettingProblem) {
    if holds { return }
    let sought: PartialKeyPath<Self> = path
    let row = Self.settings.first { setting in
      guard let path: PartialKeyPath<Self> = setting.path else { return false }
      return path == sought
    }
    guard let row else { preconditionFailure("\(Self.self): no setting at \(path)") }
    throw SettingProblem(
      key: row.name, found: text(self[keyPath: path]), expected: expected, remedy: remedy)
  }
}

/// A value as an error shows it.
private func text(_ value: Any) -> String {
  switch value {
  case let text as String: text.isEmpty ? "empty" : text
  case let choice as any RawRepresentable: "\(choice.rawValue)"
  default: "\(value)"
  }
}
