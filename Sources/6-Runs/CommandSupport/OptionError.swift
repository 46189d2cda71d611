import SystemSupport

/// An option of a command with a value that the command cannot take. The program ends with exit
/// code 2.
package struct OptionError: Error, Equatable, Sendable {
  /// As it is written, `--batch`.
  package let option: String
  /// The value that was given.
  package let found: String
  /// The values that the command can take, in words.
  package let expected: String

  /// An error of an option, its value and what is expected.
  package init(option: String, found: String, expected: String) {
    (self.option, self.found, self.expected) = (option, found, expected)
  }
}

extension OptionError: CustomStringConvertible, ExitCoded {
  package var description: String { "\(option) \(found): expected \(expected)" }
  package var exitCode: Int32 { 2 }
}

/// Throws unless an option's value is one that the command can take.
package func require(
  _ holds: Bool, _ option: String, _ found: some Any, expected: String
) throws(OptionError) {
  if !holds { throw OptionError(option: option, found: "\(found)", expected: expected) }
}
