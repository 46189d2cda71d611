import Checkpoints
import Yams

extension Configuration {
  /// Every key with its value as YAML; reading it back gives the same configuration. Counts of images
  /// are written in digits, so that any YAML reader takes them for numbers.
  package var yaml: String { yaml(of: Configuration.sections) }

  /// The keys of these sections as YAML.
  func yaml(of sections: [ConfigurationSection]) -> String {
    let sections: [(Node, Node)] = sections.map { section in
      let entries = section.prefixes(self).enumerated().map { index, prefix in
        Node(
          section.settings(index).map {
            (Node(String($0.name.dropFirst(prefix.count + 1))), $0.write(self))
          }, .implicit, .block)
      }
      guard section.isList else { return (Node(section.name), entries[0]) }
      return (Node(section.name), Node(entries, .implicit, entries.isEmpty ? .flow : .block))
    }
    do {
      return try serialize(node: Node(sections, .implicit, .block), width: -1, allowUnicode: true)
    } catch {
      fatalError("Configuration.yaml: libyaml refused plain scalars: \(error)")
    }
  }

  /// Every key, dotted, with its value as text: `["model.channels": "128,256,256", ...]`. A value can be
  /// given to `--set` as it stands.
  package var dotted: [String: String] {
    Dictionary(uniqueKeysWithValues: entries.map { ($0.key, $0.value.settingText) })
  }

  /// A checksum over every key and value: equal for equal configurations, on every machine and in every
  /// later version with the same keys.
  package var digest: String { Manifest.digest(of: dotted) }

  /// The default of a dotted key as text; `not set` for a key that has none, such as an entry of `ema`
  /// beyond the first.
  static func defaultText(of key: String) -> String { defaultTexts[key] ?? "not set" }

  private static let defaultTexts = Configuration().dotted
}

extension Node {
  /// A setting's value as one writes it for `--set`.
  var settingText: String {
    switch self {
    case .scalar(let scalar): scalar.string
    case .sequence(let sequence): sequence.map(\.settingText).joined(separator: ",")
    case .mapping, .alias: ""
    }
  }

  /// What an error says was found.
  var found: String {
    switch self {
    case .scalar(let scalar) where scalar.string.isEmpty: "empty"
    case .scalar(let scalar) where scalar.style == .plain || scalar.style == .any:
      scalar.string
    case .scalar(let scalar): "the text \"\(scalar.string)\""
    case .sequence(let sequence):
      // A few entries, and none of lists inside lists: an error is one line.
      "a list [\(sequence.prefix(8).map(\.inside).joined(separator: ", "))"
        + (sequence.count > 8 ? ", ...]" : "]")
    case .mapping: "a mapping"
    case .alias: "an alias"
    }
  }

  /// `found` inside a list.
  private var inside: String {
    if case .sequence = self { "a list" } else { found }
  }
}
