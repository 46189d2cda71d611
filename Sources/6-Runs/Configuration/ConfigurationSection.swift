import Yams

/// A section of the configuration, as reader, writer and reference see it.
package struct ConfigurationSection: Sendable {
  /// As in YAML, such as `model`.
  package let name: String
  /// What the section is about.
  package let meaning: String
  /// Whether the section is a list whose entries have keys, as `ema` is.
  package let isList: Bool
  /// Entries of a list; 1 where the section is none.
  let count: @Sendable (Configuration) -> Int
  /// The keys, or those of the entry of this index of a list, with dotted names such as `ema.1.rampup`.
  let settings: @Sendable (_ index: Int) -> [Setting<Configuration>]
  /// Throws for the first value that cannot work, whatever the other sections say.
  private let check: @Sendable (_ index: Int, Configuration) throws(SettingProblem) -> Void

  init<Section: SettingsSection>(
    _ name: String, _ path: any WritableKeyPath<Configuration, Section> & Sendable
  ) {
    (self.name, meaning, isList) = (name, Section.meaning, false)
    let settings = Section.settings.map { Setting($0, in: name, at: path) }
    count = { _ in 1 }
    self.settings = { _ in settings }
    check = { (_, configuration) throws(SettingProblem) in
      try validateSection(configuration[keyPath: path])
    }
  }

  /// A list, such as `ema`, with the number of its entries and where the entry of an index is.
  init<Section: SettingsSection>(
    _ name: String, count: @escaping @Sendable (Configuration) -> Int,
    entry path: @escaping @Sendable (Int) -> any WritableKeyPath<Configuration, Section> & Sendable
  ) {
    (self.name, meaning, isList) = (name, Section.meaning, true)
    self.count = count
    settings = { index in
      Section.settings.map { Setting($0, in: "\(name).\(index)", at: path(index)) }
    }
    check = { (index, configuration) throws(SettingProblem) in
      try validateSection(configuration[keyPath: path(index)])
    }
  }

  /// The dotted names of what holds keys: `model`, or `ema.0`, `ema.1` and so on.
  func prefixes(_ configuration: Configuration) -> [String] {
    isList ? (0..<count(configuration)).map { "\(name).\($0)" } : [name]
  }

  /// The keys of a configuration, or those of all entries of a list.
  package func entries(_ configuration: Configuration) -> [Setting<Configuration>] {
    (0..<count(configuration)).flatMap(settings)
  }

  /// The first value that cannot work, with its dotted key.
  func validate(_ configuration: Configuration) throws(SettingProblem) {
    for (index, prefix) in prefixes(configuration).enumerated() {
      do throws(SettingProblem) { try check(index, configuration) } catch {
        throw error.in(prefix)
      }
    }
  }
}

/// First what each key can tell by itself, then what they say together.
private func validateSection<Section: SettingsSection>(_ section: Section) throws(SettingProblem) {
  for setting in Section.settings {
    if let problem = setting.problem(section) { throw problem }
  }
  try section.validate()
}

extension SettingProblem {
  /// The same problem, with the key seen from the value that holds the section.
  func `in`(_ section: String) -> SettingProblem {
    SettingProblem(key: "\(section).\(key)", found: found, expected: expected, remedy: remedy)
  }
}
