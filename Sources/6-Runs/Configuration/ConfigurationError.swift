import SystemSupport

/// What can be wrong with a configuration or with the options of a command. The program ends with
/// exit code 2 on each of them.
///
/// `at` says where the value was written: `FILE:LINE`, `--set KEY=VALUE`, or `default`.
package enum ConfigurationError: Error, Equatable, Sendable {
  case unreadableFile(path: String, reason: String)
  case malformedYAML(at: String, problem: String)
  case repeatedKey(at: String, keys: [String])
  /// `*name`, which stands for a value that is written elsewhere.
  case alias(at: String, name: String)
  case wrongShape(key: String, at: String, found: String, expected: String)
  case unknownKey(key: String, at: String, nearest: String)
  case wrongType(key: String, at: String, found: String, expected: String)
  case malformedOverride(found: String)
  case noSuchEntry(key: String, at: String, entries: Int)
  /// A value of the right type out of its range, or one that contradicts another setting.
  case invalid(key: String, at: String, found: String, expected: String, remedy: String)
  /// A run is continued with settings other than those it was started with.
  case differsFromRun(checkpoint: String, differences: [ConfigurationDifference])
}

extension ConfigurationError: CustomStringConvertible {
  /// One line: where, what was found, what was expected, how to mend it.
  package var description: String {
    Format.line(oneLine.split(whereSeparator: \.isNewline).joined(separator: " "))
  }

  private var oneLine: String {
    switch self {
    case .unreadableFile(let path, let reason):
      "\(path): \(reason); expected a readable YAML file: check --config"
    case .malformedYAML(let at, let problem):
      "\(at): not YAML: \(problem); expected `section:` lines with indented `key: value` lines"
    case .repeatedKey(let at, let keys):
      "\(at): written twice: \(keys.joined(separator: ", ")); expected each key once: remove one"
    case .alias(let at, let name):
      "\(at): the alias *\(name); expected values without YAML's aliases: write the value out, or"
        + " put quotes around a text that begins with *"
    case .wrongShape(let key, let at, let found, let expected):
      "\(at): \(key) is \(found); expected \(expected)"
    case .unknownKey(let key, let at, let nearest):
      "\(at): unknown key \(key); the nearest known key is \(nearest)"
    case .wrongType(let key, let at, let found, let expected):
      "\(at): \(key) is \(found); expected \(expected)"
    case .malformedOverride(let found):
      "--set \(found): expected KEY=VALUE, such as train.batch=256"
    case .noSuchEntry(let key, let at, let entries):
      "\(at): \(key) does not exist; the list has \(entries) entries: use an index from 0 to"
        + " \(entries) (\(entries) adds one)"
    case .invalid(let key, let at, let found, let expected, let remedy):
      "\(at): \(key) is \(found); expected \(expected): \(remedy)"
    case .differsFromRun(let checkpoint, let differences):
      "\(checkpoint): made with other settings: "
        + differences.map(\.description).joined(separator: "; ")
        + ": use the run's settings, another --run, or --force"
    }
  }
}

extension ConfigurationError: ExitCoded {
  package var exitCode: Int32 { 2 }
}
