import Foundation

/// JSON as text can hold it: keys may come twice, and numbers are as they are written.
package indirect enum JSONTree {
  case object([(key: String, value: JSONTree)])
  case list([JSONTree])
  /// A number's characters, which need not fit into any type.
  case number(String)
  case text(String)
  /// `true`, `false` or `null`.
  case word(String)

  /// What is done to one node.
  enum Edit {
    case replace(JSONTree)
    /// Its key or its place in the list goes with it.
    case remove
    /// Its key comes twice, or its place in the list.
    case double
  }

  /// Reads JSON; keys are sorted, so that the tree does not depend on a dictionary's order.
  package init(_ json: Data) throws {
    self.init(try JSONSerialization.jsonObject(with: json, options: .fragmentsAllowed))
  }

  private init(_ value: Any) {
    switch value {
    case let members as [String: Any]:
      self = .object(members.sorted { $0.key < $1.key }.map { ($0.key, JSONTree($0.value)) })
    case let elements as [Any]: self = .list(elements.map { JSONTree($0) })
    case let text as String: self = .text(text)
    case is NSNull: self = .word("null")
    case let number as NSNumber:
      let isFlag = number.objCType.pointee == CChar(UInt8(ascii: "c"))
      self = isFlag ? .word(number.boolValue ? "true" : "false") : .number("\(number)")
    default: self = .word("null")
    }
  }

  /// The JSON.
  package var json: String {
    switch self {
    case .object(let members):
      "{" + members.map { "\(Self.quoted($0.key)):\($0.value.json)" }.joined(separator: ",") + "}"
    case .list(let elements): "[" + elements.map(\.json).joined(separator: ",") + "]"
    case .number(let characters), .word(let characters): characters
    case .text(let text): Self.quoted(text)
    }
  }

  private static func quoted(_ text: String) -> String {
    let data = try? JSONSerialization.data(withJSONObject: text, options: .fragmentsAllowed)
    return String(decoding: data ?? Data("\"\"".utf8), as: UTF8.self)
  }

  /// Nodes below this one.
  var count: Int {
    switch self {
    case .object(let members): members.reduce(0) { $0 + 1 + $1.value.count }
    case .list(let elements): elements.reduce(0) { $0 + 1 + $1.count }
    case .number, .text, .word: 0
    }
  }

  /// The tree with node `index` below this one edited, counted in the order of the text.
  func editing(_ index: Int, _ edit: (JSONTree) -> Edit) -> JSONTree {
    switch self {
    case .object(let members):
      .object(
        Self.editing(members, index, value: \.value, edit) { ($0.key, $1) })
    case .list(let elements): .list(Self.editing(elements, index, value: \.self, edit) { $1 })
    case .number, .text, .word: self
    }
  }

  private static func editing<Member>(
    _ members: [Member], _ index: Int, value: (Member) -> JSONTree, _ edit: (JSONTree) -> Edit,
    with: (Member, JSONTree) -> Member
  ) -> [Member] {
    var rest = index
    return members.flatMap { member -> [Member] in
      let (at, inside) = (rest, value(member).count)
      rest -= 1 + inside
      if at < 0 || at > inside { return [member] }
      if at > 0 { return [with(member, value(member).editing(at - 1, edit))] }
      switch edit(value(member)) {
      case .replace(let new): return [with(member, new)]
      case .remove: return []
      case .double: return [member, member]
      }
    }
  }
}
