import Foundation
import Yams

/// How values of one type are read from YAML and written to it.
///
/// Scalars are read from their text by our own rules, because YAML's differ from version to version
/// (`1e-3` is text in YAML 1.1, `yes` is a boolean).
struct SettingType<Value>: Sendable {
  /// What lists of settings call it, such as `whole number`.
  let name: String
  /// What an error says was expected.
  let expected: String
  var isList = false
  let read: @Sendable (Node) -> Value?
  let write: @Sendable (Value) -> Node
}

extension SettingType {
  /// A scalar, in quotes or not: JSON and many programs write quotes around numbers and names.
  static func scalar(
    _ name: String, _ expected: String, _ read: @escaping @Sendable (String) -> Value?,
    _ write: @escaping @Sendable (Value) -> String
  ) -> SettingType {
    SettingType(
      name: name, expected: expected, read: { $0.scalar.flatMap { read($0.string) } },
      write: { Node(write($0)) })
  }

  static func list<Element>(
    _ name: String, _ expected: String, of element: SettingType<Element>
  ) -> SettingType where Value == [Element] {
    SettingType(
      name: name, expected: expected, isList: true,
      read: { node in
        guard let sequence = node.sequence else { return nil }
        let values = sequence.compactMap(element.read)
        return values.count == sequence.count ? values : nil
      },
      write: { Node($0.map(element.write), .implicit, .flow) })
  }
}

extension SettingType where Value == Int {
  static var whole: Self { scalar("whole number", "a whole number", { Int($0) }, String.init) }

  /// Images seen: digits, or a number with a suffix as in `10M`, `500k`, `1.5Ki`.
  static var images: Self {
    scalar(
      "images", "a number of images such as 200000, 500k, 10M or 1.5Ki", ImageCount.parse,
      String.init)
  }
}

extension SettingType where Value == ImageSpan {
  /// Images, or a share of the run.
  static var imageSpan: Self {
    scalar(
      "images or a share", "a number of images such as 500k, or a share of the run such as 10%",
      ImageSpan.init(text:), \.text)
  }
}

extension SettingType where Value == Double {
  static var number: Self {
    scalar("number", "a number", DecimalText.parse, DecimalText.write)
  }
}

extension SettingType where Value == Double? {
  /// A number that the program finds by itself where it is not given.
  static var numberOrAuto: Self {
    scalar(
      "number or auto", "a number, or auto",
      { text in text == "auto" ? .some(nil) : DecimalText.parse(text).map { .some($0) } },
      { $0.map(DecimalText.write) ?? "auto" })
  }
}

extension SettingType where Value == Bool {
  /// YAML 1.2's spellings; `yes` and `on` are text there.
  static var flag: Self {
    scalar(
      "true or false", "true or false",
      { text in
        ["true", "True", "TRUE"].contains(text)
          ? true : ["false", "False", "FALSE"].contains(text) ? false : nil
      }, String.init)
  }
}

extension SettingType where Value == String {
  static var text: Self {
    SettingType(
      name: "text", expected: "text", read: { $0.scalar?.string },
      write: { text in
        // Quotes wherever another YAML reader could see anything but text.
        let isPlain =
          text.wholeMatch(of: /[A-Za-z.\/_][A-Za-z0-9.\/_-]*/) != nil
          && !["true", "false", "yes", "no", "on", "off", "null", "y", "n", ".inf", ".nan"]
            .contains(text.lowercased())
        return Node(text, .implicit, isPlain ? .plain : .doubleQuoted)
      })
  }
}

extension SettingType
where Value: RawRepresentable & CaseIterable & Sendable, Value.RawValue == String {
  static var choice: Self {
    let names = Value.allCases.map(\.rawValue)
    let expected = names.dropLast().joined(separator: ", ") + " or " + (names.last ?? "")
    return scalar(expected, expected, Value.init(rawValue:), \.rawValue)
  }
}

extension SettingType where Value == [Int] {
  static var wholes: Self { list("list of whole numbers", "a list of whole numbers", of: .whole) }
}

extension SettingType where Value == [Double] {
  static var numbers: Self { list("list of numbers", "a list of numbers", of: .number) }
}

extension SettingType where Value == [String] {
  static var texts: Self { list("list of names", "a list of names", of: .text) }
}

/// Decimal numbers as people write them; no hexadecimal, infinity or NaN.
enum DecimalText {
  static func parse(_ text: String) -> Double? {
    guard text.allSatisfy({ "0123456789+-.eE".contains($0) }), let value = Double(text),
      value.isFinite
    else { return nil }
    return value
  }

  /// As people write it: `25`, `0.5`.
  static func short(_ value: Double) -> String {
    Int(exactly: value).map(String.init) ?? "\(value)"
  }

  /// The shortest text that reads back as the same value; always with a point, without which YAML 1.1
  /// readers take `1e-08` for text.
  static func write(_ value: Double) -> String {
    let text = "\(value)"
    guard let exponent = text.firstIndex(of: "e"), !text.contains(".") else { return text }
    return text[..<exponent] + ".0" + text[exponent...]
  }
}

/// Counts of images as people write them.
package enum ImageCount {
  /// More than any run sees, and far from overflow in what is computed from it.
  package static let largest = 1_000_000_000_000_000

  private static let multipliers: [String: Decimal] = [
    "": 1, "k": 1_000, "K": 1_000, "M": 1_000_000, "G": 1_000_000_000, "Ki": 1_024,
    "Mi": 1_048_576, "Gi": 1_073_741_824,
  ]

  /// Nil unless `text` is a decimal number, with a suffix or not, that comes to a whole number of
  /// images from 0 to 10^15.
  package static func parse(_ text: String) -> Int? {
    guard let parts = text.wholeMatch(of: /([0-9]+(?:\.[0-9]+)?(?:[eE]\+?[0-9]{1,2})?)([A-Za-z]*)/),
      let multiplier = multipliers[String(parts.2)], let number = Decimal(string: String(parts.1))
    else { return nil }
    let count = number * multiplier
    guard count >= 0, count <= Decimal(largest) else { return nil }
    return Int("\(count)")
  }
}
