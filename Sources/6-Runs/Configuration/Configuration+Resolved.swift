import Checkpoints
import Yams

extension Configuration {
  /// Every key with its value as YAML; reading it back gives the same configuration. Counts of images
  /// are written in digits, so that any YAML reader takes them for numbers.
  package var yaml: String {
    let sections: [(Node, Node)] = Configuration.sections.map { section in
      guard section != "ema" else {
        let entries = ema.map { average in
          mapping(EMASettings.settings.map { ($0.name, $0.write(average)) })
        }
        return (Node(section), Node(entries, .implicit, ema.isEmpty ? .flow : .block))
      }
      let settings = Configuration.settings[section] ?? []
      return (
        Node(section),
        mapping(settings.map { (String($0.name.dropFirst(section.count + 1)), $0.write(self)) })
      )
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

  static func defaultText(of key: String) -> String {
    Configuration().dotted[key] ?? "not set"
  }

  private func mapping(_ pairs: [(String, Node)]) -> Node {
    Node(pairs.map { (Node($0.0), $0.1) }, .implicit, .block)
  }
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
    case .sequence(let sequence): "a list [\(sequence.map(\.found).joined(separator: ", "))]"
    case .mapping: "a mapping"
    case .alias: "an alias"
    }
  }
}
