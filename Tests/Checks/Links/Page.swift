import Foundation

/// A Markdown file: its headings, links, and what it quotes between backticks.
struct Page {
  /// Something that a line of the file says.
  struct Item {
    let text: String
    let line: Int
  }

  /// Anchors that links can name: headings as GitHub writes them, and `id` or `name` of HTML.
  private(set) var anchors: Set<String> = []
  /// Targets of links and images.
  private(set) var links: [Item] = []
  /// Words between backticks.
  private(set) var words: [Item] = []
  private var headings: [String: Int] = [:]

  init(_ text: String) {
    let lines = text.replacing("\r\n", with: "\n")
      .split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    var fence: String?
    for (number, line) in lines.enumerated() {
      let trimmed = line.trimmingCharacters(in: .whitespaces)
      let marks = trimmed.prefix { $0 == trimmed.first }
      if let open = fence {
        if marks.hasPrefix(open), marks.count == trimmed.count { fence = nil }
      } else if trimmed.hasPrefix("```") || trimmed.hasPrefix("~~~") {
        fence = String(marks)
      } else {
        read(line, number: number + 1, next: number + 1 < lines.count ? lines[number + 1] : "")
      }
    }
  }

  private mutating func read(_ line: String, number: Int, next: String) {
    let level = line.prefix { $0 == "#" }.count
    if (1...6).contains(level), line.dropFirst(level).first == " " {
      addHeading(line.dropFirst(level).trimmingCharacters(in: .whitespaces))
    } else if !line.isEmpty, next.count > 1, Set(next) == ["="] || Set(next) == ["-"],
      !line.contains("|")
    {
      addHeading(line)
    }
    var prose = ""
    for (index, part) in Page.spans(of: line).enumerated() {
      if index.isMultiple(of: 2) {
        prose += part
      } else {
        prose += "`"
        words += part.split(separator: " ").map { Item(text: String($0), line: number) }
      }
    }
    links += Page.targets(in: prose).map { Item(text: $0, line: number) }
    for match in prose.matches(of: #/<\w+[^>]*\s(?:id|name)="([^"]+)"/#) {
      anchors.insert(String(match.1))
    }
  }

  /// Text and code in turns: "a `b` c" gives "a ", "b" and " c".
  private static func spans(of line: String) -> [String] {
    var (parts, rest) = ([""], Substring(line))
    while let start = rest.firstIndex(of: "`") {
      let marks = rest[start...].prefix { $0 == "`" }
      let inner = rest[marks.endIndex...]
      guard let end = inner.firstRange(of: String(marks)) else { break }
      parts[parts.count - 1] += rest[..<start]
      parts += [String(inner[..<end.lowerBound]), ""]
      rest = inner[end.upperBound...]
    }
    parts[parts.count - 1] += rest
    return parts
  }

  /// `[text](target "title")`, `![text](<target>)`, `[name]: target`, and src and href of HTML.
  private static func targets(in prose: String) -> [String] {
    let inline =
      #/
      \]\( \s*
      (?: <([^>]*)> | ([^\s()]* (?: \([^\s()]*\) [^\s()]* )*) )
      (?: \s+ ["'(] .*? )?
      \)
      /#
    let definition = #/^\ {0,3}\[[^\]]+\]:\s*<?([^\s>]+)>?(?:\s+["'(].*)?$/#
    return prose.matches(of: inline).map { String($0.1 ?? $0.2 ?? "") }
      + prose.matches(of: definition).map { String($0.1) }
      + prose.matches(of: #/\s(?:src|href)="([^"]+)"/#).map { String($0.1) }
  }

  /// GitHub's rule: lower case, without punctuation, hyphens for spaces, a number where it repeats.
  private mutating func addHeading(_ heading: String) {
    let text = heading.replacing(#/\s+#+$/#, with: "")
      .replacing(#/!?\[([^\]]*)\]\([^)]*\)/#) { String($0.1) }
    var slug = ""
    for scalar in text.lowercased().unicodeScalars {
      switch scalar.properties.generalCategory {
      case .spaceSeparator: slug += "-"
      case .lowercaseLetter, .otherLetter, .modifierLetter, .titlecaseLetter, .uppercaseLetter,
        .decimalNumber, .letterNumber, .nonspacingMark, .spacingMark, .connectorPunctuation:
        slug.unicodeScalars.append(scalar)
      default: if scalar == "-" { slug += "-" }
      }
    }
    let count = headings[slug, default: 0]
    headings[slug] = count + 1
    anchors.insert(count == 0 ? slug : "\(slug)-\(count)")
  }
}
