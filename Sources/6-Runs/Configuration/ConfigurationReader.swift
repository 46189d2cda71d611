import Foundation
import Yams

extension Configuration {
  /// Reads and validates a configuration.
  ///
  /// - Parameters:
  ///   - file: path of a YAML file; nil: the defaults.
  ///   - overrides: `KEY=VALUE` texts, applied in order after the file.
  package init(file: String?, overrides: [String] = []) throws(ConfigurationError) {
    var reader = ConfigurationReader()
    if let file { try reader.read(yaml: SettingsFile.text(of: file), name: file) }
    for override in overrides { try reader.apply(override: override) }
    self = try reader.validated()
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
    self = try reader.validated()
  }

  /// Reads and validates a configuration from dotted keys and texts, as `dotted` gives them and as
  /// manifests hold them.
  ///
  /// - Parameter name: what errors call the source, such as the path of the manifest.
  package init(dotted: [String: String], name: String) throws(ConfigurationError) {
    var reader = ConfigurationReader()
    try reader.read(dotted: dotted, name: name)
    self = try reader.validated()
  }
}

/// Puts YAML and overrides into a configuration and remembers where each value was written.
struct ConfigurationReader {
  private var configuration = Configuration()
  private var locations: [String: String] = [:]

  /// Where a value comes from.
  private struct Source {
    /// What errors call it: a file, or the override as a whole.
    let name: String
    /// Whether a list may be written as text with commas.
    let splitsLists: Bool

    /// `FILE:LINE` of a file's value, else the source's name.
    func location(of node: Node) -> String {
      node.mark.map { splitsLists ? name : "\(name):\($0.line)" } ?? name
    }
  }

  func validated() throws(ConfigurationError) -> Configuration {
    try configuration.validate(locations: locations)
    return configuration
  }

  mutating func read(yaml: String, name: String) throws(ConfigurationError) {
    guard let root = try YAMLText.parse(yaml, name: name), !root.isEmptyScalar else { return }
    let source = Source(name: name, splitsLists: false)
    guard let sections = root.mapping else {
      throw .wrongShape(
        key: "the file", at: source.location(of: root), found: root.found,
        expected: "sections such as `model:` with keys below them")
    }
    for (key, section) in sections {
      try read(section, path: key.settingText, at: source.location(of: key), source)
    }
  }

  /// `model.window=4`, `model.channels=64,128`, `ema.0.half_life=100k`, `ema=[]`.
  mutating func apply(override: String) throws(ConfigurationError) {
    guard let equals = override.firstIndex(of: "="), equals > override.startIndex else {
      throw .malformedOverride(found: override)
    }
    let path = override[..<equals].trimmingCharacters(in: .whitespaces)
    let text = override[override.index(after: equals)...].trimmingCharacters(in: .whitespaces)
    let name = "--set \(override)"
    let isFlow = text.hasPrefix("[") || text.hasPrefix("{")
    let value = isFlow ? try YAMLText.parse(text, name: name) ?? Node("") : Node(text)
    let source = Source(name: name, splitsLists: true)
    let isKey = path.split(separator: ".").count == (path.hasPrefix("ema.") ? 3 : 2)
    if isKey {
      try assign(value, to: path, at: name, source)
    } else {
      try read(value, path: path, at: name, source)
    }
  }

  /// Every text as it stands, none of them YAML. Averages are those that are named.
  mutating func read(dotted: [String: String], name: String) throws(ConfigurationError) {
    configuration.ema = []
    // Entries of a list in their order: ema.2 before ema.10.
    let keys = dotted.keys.sorted { $0.compare($1, options: .numeric) == .orderedAscending }
    let source = Source(name: name, splitsLists: true)
    for key in keys { try read(Node(dotted[key] ?? ""), path: key, at: name, source) }
  }

  /// Reads what `path` names: a section, a list, an entry of a list, or a key.
  private mutating func read(
    _ value: Node, path: String, at: String, _ source: Source
  ) throws(ConfigurationError) {
    if path == "ema" { return try readAverages(value, at: at, source) }
    let (prefix, _) = try keys(around: path, at: at, source)
    if path != prefix { return try assign(value, to: path, at: at, source) }
    for (key, value) in try mapping(value, path: path, at: at, source) {
      let dotted = "\(prefix).\(key.settingText)"
      try assign(value, to: dotted, at: source.location(of: key), source)
    }
  }

  /// The section or the entry of a list that `path` is or is in, such as `model` or `ema.0`, and its keys.
  /// The entry after the last one is added.
  private mutating func keys(
    around path: String, at: String, _ source: Source
  ) throws(ConfigurationError) -> (prefix: String, settings: [Setting<Configuration>]) {
    let parts = path.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
    guard let section = Configuration.sections.first(where: { $0.name == parts[0] }),
      !section.isList || parts.count > 1
    else { throw unknown(path, at: at, source) }
    guard section.isList else { return (parts[0], section.settings(0)) }
    guard let index = Int(parts[1]) else { throw unknown(path, at: at, source) }
    guard (0...configuration.ema.count).contains(index) else {
      throw .noSuchEntry(key: "ema.\(parts[1])", at: at, entries: configuration.ema.count)
    }
    if index == configuration.ema.count { configuration.ema.append(EMASettings()) }
    return ("ema.\(index)", section.settings(index))
  }

  /// All entries of `ema` anew.
  private mutating func readAverages(
    _ value: Node, at: String, _ source: Source
  ) throws(ConfigurationError) {
    guard let entries = value.sequence else {
      throw .wrongShape(
        key: "ema", at: at, found: value.found,
        expected: "a list such as [{name: ema, half_life: 500k, rampup: 0.05}]")
    }
    locations = locations.filter { !$0.key.hasPrefix("ema.") }
    configuration.ema = []
    for (index, entry) in entries.enumerated() {
      try read(entry, path: "ema.\(index)", at: source.location(of: entry), source)
    }
  }

  private mutating func assign(
    _ value: Node, to key: String, at: String, _ source: Source
  ) throws(ConfigurationError) {
    let settings = try keys(around: key, at: at, source).settings
    guard let setting = settings.first(where: { $0.name == key }) else {
      throw unknown(key, at: at, source)
    }
    var value = source.splitsLists || !value.isNull ? value : Node("")
    if setting.isList, case .scalar(let scalar) = value, source.splitsLists {
      let items = scalar.string.split(separator: ",", omittingEmptySubsequences: false)
      value = Node(items.map { Node($0.trimmingCharacters(in: .whitespaces)) })
    }
    guard setting.read(value, &configuration) else {
      throw .wrongType(
        key: key, at: at, found: value.found,
        expected: "\(setting.expected); the default is \(Configuration.defaultText(of: key))")
    }
    locations[key] = at
  }

  private func mapping(
    _ node: Node, path: String, at: String, _ source: Source
  ) throws(ConfigurationError) -> Node.Mapping {
    if let mapping = node.mapping { return mapping }
    if node.isEmptyScalar || node.isNull, !source.splitsLists { return Node.Mapping([]) }
    let example = Configuration.keys.first { $0.hasPrefix(path + ".") } ?? path
    throw .wrongShape(
      key: path, at: at, found: node.found,
      expected: "a section: set one of its keys, such as \(example)")
  }

  private func unknown(_ key: String, at: String, _ source: Source) -> ConfigurationError {
    let isSection = !key.contains(".") && !source.splitsLists
    let sections = isSection ? Configuration.sections.map(\.name) : []
    let known = sections + Configuration.keys
    return .unknownKey(key: key, at: at, nearest: NearestKey.to(key, among: known))
  }
}

extension Node {
  /// A key without a value, or an empty file.
  fileprivate var isEmptyScalar: Bool { scalar?.string.isEmpty ?? false }

  /// `null`, as programs write a value that is not set; in quotes it is a text.
  fileprivate var isNull: Bool {
    guard let scalar, scalar.style == .plain else { return false }
    return ["null", "Null", "NULL", "~"].contains(scalar.string)
  }
}
