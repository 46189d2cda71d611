import Yams

/// YAML, of which JSON is a part, as a tree of nodes.
enum YAMLText {
  /// The deepest nesting of lists and mappings; settings need four levels.
  private static let deepest = 32

  /// Nil for a text without content.
  ///
  /// Aliases are refused before the tree is built: a few lines of nested ones stand for more values
  /// than a machine can hold.
  ///
  /// - Parameter name: what errors call the text.
  static func parse(_ text: String, name: String) throws(ConfigurationError) -> Node? {
    var text = text
    if text.unicodeScalars.first == "\u{FEFF}" { text.unicodeScalars.removeFirst() }
    switch YAMLScanner.firstProblem(in: text, deepest: deepest) {
    case .alias(let alias, let line): throw .alias(at: "\(name):\(line)", name: alias)
    case .depth(let line):
      throw .malformedYAML(
        at: "\(name):\(line)", problem: "more than \(deepest) lists or mappings inside each other")
    case nil: break
    }
    if text.drop(while: \.isWhitespace).first == "{" { text = joiningSurrogates(text) }
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

  /// JSON escapes a character beyond 16 bits as two halves, `\ud83d\ude00`; YAML as one, `\U0001F600`.
  private static func joiningSurrogates(_ text: String) -> String {
    text.replacing(/(\\\\)|\\u([dD][89abAB][0-9a-fA-F]{2})\\u([dD][c-fC-F][0-9a-fA-F]{2})/) {
      match in
      guard let high = match.2.flatMap({ UInt32($0, radix: 16) }),
        let low = match.3.flatMap({ UInt32($0, radix: 16) })
      else { return String(match.0) }
      let scalar = 0x10000 + (high - 0xD800) << 10 + (low - 0xDC00)
      let digits = String(scalar, radix: 16, uppercase: true)
      return "\\U" + String(repeating: "0", count: 8 - digits.count) + digits
    }
  }
}
