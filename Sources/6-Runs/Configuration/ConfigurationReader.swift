import Foundation
import Yams

extension Configuration {
  /// Reads and validates a configuration.
  ///
  /// - Parameters:
  ///   - file: path of a YAML file; nil: the defaults.
  ///   - overrides: `KEY=VALUE` texts, applied in order after the file.
  package init(file: String?, overrides: [String] = []) throws(ConfigurationError) {
    guard let file else {
      try self.init(yaml: "", name: "", overrides: overrides)
      return
    }
    let bytes: Data
    do {
      bytes = try Data(contentsOf: URL(fileURLWithPath: file))
    } catch {
      var isDirectory: ObjCBool = false
      let exists = FileManager.default.fileExists(atPath: file, isDirectory: &isDirectory)
      let reason =
        !exists ? "no such file" : isDirectory.boolValue ? "is a folder" : "cannot be read"
      throw .unreadableFile(path: file, reason: reason)
    }
    guard let text = String(validating: bytes, as: UTF8.self) else {
      throw .unreadableFile(path: file, reason: "is not UTF-8 text")
    }
    try self.init(yaml: text, name: file, overrides: overrides)
  }

  /// Reads and validates a configuration from YAML text.
  ///
  /// - Parameter name: what errors call the text.
  package init(
    yaml: String, name: String, overrides: [String] = []
  ) throws(ConfigurationError) {
    var reader = ConfigurationReader()
    try reader.read(yaml: yaml, name: name)
    for override in overrides { try reader.apply(override: override) }
    try reader.configuration.validate(locations: reader.locations)
    self = reader.configuration
  }
}

/// Puts YAML and overrides into a configuration and remembers where each value was written.
struct ConfigurationReader {
  private(set) var configuration = Configuration()
  private(set) var locations: [String: String] = [:]

  mutating func read(yaml: String, name: String) throws(ConfigurationError) {
    guard let root = try parse(yaml, name: name), !root.isEmptyScalar else { return }
    let locate = { (node: Node) in node.mark.map { "\(name):\($0.line)" } ?? name }
    guard let sections = root.mapping else {
      throw .wrongShape(
        key: "the file", at: locate(root), found: root.found,
        expected: "sections such as `model:` with keys below them")
    }
    for (key, section) in sections {
      try read(section, path: key.settingText, at: locate(key), locate: locate)
    }
  }

  /// `model.window=4`, `model.channels=64,128`, `ema.0.half_life=100k`, `ema=[]`.
  mutating func apply(override: String) throws(ConfigurationError) {
    guard let equals = override.firstIndex(of: "="), equals > override.startIndex else {
      throw .malformedOverride(found: override)
    }
    let path = override[..<equals].trimmingCharacters(in: .whitespaces)
    let text = override[override.index(after: equals)...].trimmingCharacters(in: .whitespaces)
    let at = "--set \(override)"
    let isFlow = text.hasPrefix("[") || text.hasPrefix("{")
    let value = isFlow ? try parse(text, name: at) ?? Node("") : Node(text)
    try read(value, path: path, at: at) { _ in at }
  }

  /// Reads the value of a section or of a key, whichever `path` names.
  private mutating func read(
    _ value: Node, path: String, at: String, locate: (Node) -> String
  ) throws(ConfigurationError) {
    let parts = path.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
    if parts[0] == "ema" {
      try readAverages(value, path: path, parts: Array(parts[1...]), at: at, locate: locate)
    } else if let settings = Configuration.settings[path] {
      for (key, value) in try mapping(value, path: path, at: at) {
        let dotted = "\(path).\(key.settingText)"
        try assign(value, to: dotted, at: locate(key), among: settings)
      }
    } else {
      let settings = Configuration.settings[parts[0]] ?? []
      try assign(value, to: path, at: at, among: settings)
    }
  }

  private mutating func readAverages(
    _ value: Node, path: String, parts: [String], at: String, locate: (Node) -> String
  ) throws(ConfigurationError) {
    guard let first = parts.first else {
      guard let entries = value.sequence else {
        throw .wrongShape(
          key: path, at: at, found: value.found,
          expected: "a list such as [{name: ema, half_life: 500k, rampup: 0.05}]")
      }
      locations = locations.filter { !$0.key.hasPrefix("ema.") }
      configuration.ema = []
      for (index, entry) in entries.enumerated() {
        try readAverages(
          entry, path: "ema.\(index)", parts: ["\(index)"], at: locate(entry), locate: locate)
      }
      return
    }
    guard let index = Int(first), (0...configuration.ema.count).contains(index) else {
      if Int(first) == nil { throw unknown(path, at: at) }
      throw .noSuchEntry(key: "ema.\(first)", at: at, entries: configuration.ema.count)
    }
    var average = index < configuration.ema.count ? configuration.ema[index] : EMASettings()
    let prefix = "ema.\(index)"
    let settings = EMASettings.settings.map { Setting($0, in: prefix, at: \EMASettings.self) }
    if parts.count == 1 {
      for (key, value) in try mapping(value, path: path, at: at) {
        try assign(
          value, to: "\(prefix).\(key.settingText)", at: locate(key), among: settings,
          into: &average)
      }
    } else {
      try assign(value, to: path, at: at, among: settings, into: &average)
    }
    if index < configuration.ema.count {
      configuration.ema[index] = average
    } else {
      configuration.ema.append(average)
    }
  }

  private mutating func assign(
    _ value: Node, to key: String, at: String, among settings: [Setting<Configuration>]
  ) throws(ConfigurationError) {
    var changed = configuration
    try assign(value, to: key, at: at, among: settings, into: &changed)
    configuration = changed
  }

  private mutating func assign<Section>(
    _ value: Node, to key: String, at: String, among settings: [Setting<Section>],
    into section: inout Section
  ) throws(ConfigurationError) {
    guard let setting = settings.first(where: { $0.name == key }) else {
      throw unknown(key, at: at)
    }
    var value = value
    if setting.isList, case .scalar(let scalar) = value, at.hasPrefix("--set ") {
      let items = scalar.string.split(separator: ",", omittingEmptySubsequences: false)
      value = Node(items.map { Node($0.trimmingCharacters(in: .whitespaces)) })
    }
    guard setting.read(value, &section) else {
      throw .wrongType(
        key: key, at: at, found: value.found,
        expected: "\(setting.expected); the default is \(Configuration.defaultText(of: key))")
    }
    locations[key] = at
  }

  private func mapping(
    _ node: Node, path: String, at: String
  ) throws(ConfigurationError) -> Node.Mapping {
    if let mapping = node.mapping { return mapping }
    if node.isEmptyScalar, !at.hasPrefix("--set ") { return Node.Mapping([]) }
    let example = Configuration.keys.first { $0.hasPrefix(path + ".") } ?? path
    throw .wrongShape(
      key: path, at: at, found: node.found,
      expected: "a section: set one of its keys, such as \(example)")
  }

  private func unknown(_ key: String, at: String) -> ConfigurationError {
    let isSection = !key.contains(".") && !at.hasPrefix("--set ")
    let known = isSection ? Configuration.sections + Configuration.keys : Configuration.keys
    return .unknownKey(key: key, at: at, nearest: NearestKey.to(key, among: known))
  }

  private func parse(_ text: String, name: String) throws(ConfigurationError) -> Node? {
    do {
      return try Yams.compose(yaml: text)
    } catch YamlError.duplicatedKeysInMapping(let keys, let context) {
      throw .repeatedKey(at: "\(name):\(context.mark.line)", keys: keys)
    } catch YamlError.scanner(_, let problem, let mark, _) {
      throw .malformedYAML(at: "\(name):\(mark.line)", problem: problem)
    } catch YamlError.parser(_, let problem, let mark, _) {
      throw .malformedYAML(at: "\(name):\(mark.line)", problem: problem)
    } catch YamlError.composer(_, let problem, let mark, _) {
      throw .malformedYAML(at: "\(name):\(mark.line)", problem: problem)
    } catch {
      throw .malformedYAML(at: name, problem: "\(error)")
    }
  }
}

extension Node {
  /// A key without a value, or an empty file.
  fileprivate var isEmptyScalar: Bool { scalar?.string.isEmpty ?? false }
}
