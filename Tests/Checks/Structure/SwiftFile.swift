/// What one Swift file declares for the other files of its target, and the words that it uses.
struct SwiftFile {
  /// A name in use.
  struct Use: Hashable {
    let name: String
    /// The name with what distinguishes functions that share it: see `Reader.key`.
    let key: String
    /// Whether a dot stands before it.
    let isMember: Bool
  }

  let path: String
  let lines: Int
  private(set) var imports: Set<String> = []
  /// Types at the top level that other files can name.
  private(set) var types: Set<String> = []
  /// Keys of functions and variables at the top level that other files can name.
  private(set) var globals: Set<String> = []
  /// Keys of members that other files can name and that are declared in an extension, with the type.
  private(set) var members: [String: Set<String>] = [:]
  /// Keys of all members and cases of its types and extensions that other files can name.
  private(set) var visibleMembers: Set<String> = []
  /// Keys of all that it declares outside functions, also of what only it can name.
  private(set) var ownKeys: Set<String> = []
  /// Types that it declares or extends.
  private(set) var owners: Set<String> = []
  /// Names that it declares anywhere, local ones and argument labels included.
  private(set) var declared: Set<String> = []
  private(set) var uses: Set<Use> = []

  init(path: String, text: String) {
    self.path = path
    lines = text.utf8.count { $0 == UInt8(ascii: "\n") }
    var reader = Reader(tokens: Lexer.tokens(of: text))
    reader.read()
    imports = reader.imports
    (types, globals, members) = (reader.types, reader.globals, reader.members)
    (visibleMembers, owners, declared) = (reader.visibleMembers, reader.owners, reader.declared)
    (ownKeys, uses) = (reader.ownKeys, reader.uses)
  }
}

/// Walks over the tokens of a file and keeps track of the braces around each.
private struct Reader {
  private enum Scope: Equatable {
    case type(String, isHidden: Bool)
    case enumeration(String, isHidden: Bool)
    case extensionOf(String, isHidden: Bool)
    case code
  }

  private static let declarations: Set = [
    "struct", "class", "enum", "actor", "protocol", "extension", "typealias", "func", "var", "let",
    "case", "import",
  ]
  private static let modifiers: Set = ["func", "var", "let", "subscript", "init", "override"]

  private let tokens: [Token]
  private var position = 0
  private var scopes: [Scope] = []
  private var next = Scope.code
  private var isHidden = false

  var imports: Set<String> = []
  var types: Set<String> = []
  var globals: Set<String> = []
  var members: [String: Set<String>] = [:]
  var visibleMembers: Set<String> = []
  var ownKeys: Set<String> = []
  var owners: Set<String> = []
  var declared: Set<String> = []
  var uses: Set<SwiftFile.Use> = []

  init(tokens: [Token]) { self.tokens = tokens }

  private func text(_ distance: Int) -> String {
    tokens.indices.contains(position + distance) ? tokens[position + distance].text : ""
  }

  private func word(_ distance: Int) -> String? {
    let index = position + distance
    return tokens.indices.contains(index) && tokens[index].isWord ? tokens[index].text : nil
  }

  mutating func read() {
    while position < tokens.count {
      let token = tokens[position]
      if token.isWord {
        readWord(token)
      } else {
        readMark(token.text)
      }
      position += 1
    }
  }

  private mutating func readMark(_ mark: String) {
    switch mark {
    case "{":
      scopes.append(next)
      (next, isHidden) = (.code, false)
    case "}":
      _ = scopes.popLast()
      (next, isHidden) = (.code, false)
    default: break
    }
  }

  private mutating func readWord(_ token: Token) {
    let isMember = text(-1) == "."
    if !isMember, Reader.declarations.contains(token.text), word(1) != nil {
      readDeclaration(token.text)
    } else if !isMember, token.text == "private" || token.text == "fileprivate" {
      if text(1) != "(" { isHidden = true }
    } else {
      if token.isLabel { declared.insert(token.text) }
      if isMember || !token.isLabel || isTypeName(token.text) {
        uses.insert(SwiftFile.Use(name: token.text, key: key(of: 0), isMember: isMember))
      }
    }
  }

  /// The word at a distance; where parentheses follow, with the first argument's label:
  /// `write`, `write()`, `write(_)` or `write(to)`.
  private func key(of distance: Int, isDeclaration: Bool = false) -> String {
    let name = text(distance)
    var open = distance + 1
    if isDeclaration, text(open) == "<" {
      while !["(", "{", ""].contains(text(open)) { open += 1 }
    }
    guard text(open) == "(" else { return name }
    if text(open + 1) == ")" { return name + "()" }
    guard let label = word(open + 1) else { return name + "(_)" }
    // In a declaration a second word, the parameter's own name, may come after the label.
    let isLabel = (1...2).contains { ahead in
      let index = position + open + ahead
      return tokens.indices.contains(index) && tokens[index].isLabel
    }
    return name + "(" + (isLabel ? label : "_") + ")"
  }

  private func isTypeName(_ name: String) -> Bool { name.first?.isUppercase == true }

  private mutating func readDeclaration(_ keyword: String) {
    switch keyword {
    case "import": readImport()
    case "class" where Reader.modifiers.contains(text(1)): break
    case "struct", "class", "actor", "protocol", "enum":
      let name = qualified(text(1))
      declare(text(1), as: \.types)
      owners.insert(name)
      next =
        keyword == "enum"
        ? .enumeration(name, isHidden: isOutOfReach) : .type(name, isHidden: isOutOfReach)
      position += 1
    case "typealias":
      declare(text(1), as: \.types)
      position += 1
    case "extension": readExtension()
    case "func":
      declare(text(1), key: key(of: 1, isDeclaration: true), as: \.globals)
      position += 1
    case "var", "let": readVariables()
    case "case": if case .enumeration = scopes.last { readCases() }
    default: break
    }
    if keyword != "class" { isHidden = false }
  }

  private mutating func readImport() {
    position += 1
    if ["struct", "class", "enum", "protocol", "func", "var", "typealias"].contains(text(0)) {
      position += 1
    }
    imports.insert(text(0))
    while text(1) == "." { position += 2 }
  }

  /// `extension A.B<C>: D where E {`: the type's name, then the rest as uses.
  private mutating func readExtension() {
    let hidden = isHidden
    var name = text(1)
    uses.insert(SwiftFile.Use(name: name, key: name, isMember: false))
    position += 1
    while text(1) == ".", let part = word(2) {
      name += "." + part
      position += 2
    }
    owners.insert(name)
    next = .extensionOf(name, isHidden: hidden)
  }

  private mutating func readVariables() {
    position += 1
    guard text(0) == "(" else { return declare(text(0), as: \.globals) }
    while position < tokens.count, text(0) != ")" {
      if let name = word(0) { declared.insert(name) }
      position += 1
    }
  }

  /// The names in `case one, two(Int), three = "3"`; what is in parentheses is read as usual.
  private mutating func readCases() {
    var (ahead, depth) = (0, 0)
    while tokens.indices.contains(position + ahead + 1) {
      switch (text(ahead), depth) {
      case ("case", 0), (",", 0):
        guard let name = word(ahead + 1) else { return }
        declared.insert(name)
        if !isOutOfReach { visibleMembers.insert(name) }
        ahead += 1
      case ("(", _): depth += 1
      case (")", _): depth -= 1
      case ("=", 0), ("-", 0): break
      case (_, 0): return
      default: break
      }
      ahead += 1
    }
  }

  /// Whether other files cannot name what is declared here.
  private var isOutOfReach: Bool {
    isHidden
      || scopes.contains { scope in
        switch scope {
        case .type(_, let isHidden), .enumeration(_, let isHidden), .extensionOf(_, let isHidden):
          isHidden
        case .code: true
        }
      }
  }

  private mutating func declare(
    _ name: String, key: String? = nil, as global: WritableKeyPath<Reader, Set<String>>
  ) {
    let key = key ?? name
    declared.insert(name)
    if scopes.last != .code { ownKeys.insert(key) }
    guard !isOutOfReach else { return }
    if !scopes.isEmpty { visibleMembers.insert(key) }
    switch scopes.last {
    case nil: self[keyPath: global].insert(key)
    case .extensionOf(let owner, _): members[key, default: []].insert(owner)
    default: break
    }
  }

  private func qualified(_ name: String) -> String {
    switch scopes.last {
    case .type(let outer, _), .enumeration(let outer, _), .extensionOf(let outer, _):
      outer + "." + name
    case .code, nil: name
    }
  }
}
