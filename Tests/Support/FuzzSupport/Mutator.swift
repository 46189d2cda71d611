/// Damages inputs at random, the same way for the same seed.
package struct Mutator: RandomNumberGenerator {
  private var state: UInt64

  /// - Parameter name: what is damaged; other names give other damage.
  package init(_ name: String, round: Int) {
    let start = UInt64(round) &* 0x9E37_79B9_7F4A_7C15
    state = name.utf8.reduce(start) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }
  }

  /// SplitMix64 (Steele et al., OOPSLA 2014).
  package mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ z >> 30) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ z >> 27) &* 0x94D0_49BB_1331_11EB
    return z ^ z >> 31
  }

  /// A number below `end`.
  package mutating func index(_ end: Int) -> Int { Int.random(in: 0..<max(end, 1), using: &self) }

  /// True once in `of` times.
  package mutating func once(in of: Int) -> Bool { index(of) == 0 }

  private mutating func one<Element>(of elements: [Element]) -> Element {
    elements[index(elements.count)]
  }

  private static let numbers = [
    "9223372036854775807", "-9223372036854775808", "9223372036854775808", "18446744073709551615",
    "2147483648", "4294967295", "-1", "-2", "0", "-0", "1", "2", "3", "1e300", "-1e300", "1e-300",
    "1e999", "0.5", "1000000", "1000000000000000", "9007199254740993", "4611686018427387904",
  ]
  /// Lists inside each other, more than a reader that calls itself has room for.
  private static let deep = ["[", "]"].map { String(repeating: $0, count: 50_000) }.joined()
  private static let texts = [
    "", "x", "nan", "inf", "-1", "9223372036854775807", "1e300", "../../../../etc/passwd", "/",
    "a\nb\u{1B}[31m", "\u{0}", "e\u{301}", "2,2,2,2,2,2,2,2,2,2", "[]", "null", "auto",
  ]

  /// The tree with one to three nodes edited: huge, negative, zero, of another type, missing, twice,
  /// an empty list, longer and shorter lists.
  package mutating func mutated(_ tree: JSONTree) -> JSONTree {
    var result = tree
    for _ in 0...index(3) {
      let place = index(result.count)
      result = result.editing(place) { node in
        switch index(12) {
        case 0: .remove
        case 1: .double
        case 2: .replace(other(than: node))
        case 3: .replace(.number(one(of: Self.numbers)))
        default: .replace(alike(node))
        }
      }
    }
    return once(in: 200) ? other(than: result) : result
  }

  /// Another value of the same type.
  private mutating func alike(_ node: JSONTree) -> JSONTree {
    switch node {
    case .number: .number(one(of: Self.numbers))
    case .text(let text):
      once(in: 20)
        ? .text(String(repeating: "x", count: 100_000))
        : once(in: 6) ? .text(text + "x") : .text(one(of: Self.texts))
    case .word: .word(one(of: ["true", "false", "null"]))
    case .list(let elements):
      switch index(4) {
      case 0: .list([])
      case 1: .list(Array(elements.dropLast()))
      case 2: .list(elements + elements)
      default:
        .list(
          elements.isEmpty
            ? [.number("1")] : (0..<1000).map { elements[$0 % elements.count] })
      }
    case .object(let members):
      once(in: 3) ? .object([]) : .object(Array(members.dropLast()))
    }
  }

  /// A value of another type.
  private mutating func other(than node: JSONTree) -> JSONTree {
    let values: [JSONTree] = [
      .number(one(of: Self.numbers)), .text(one(of: Self.texts)), .word("null"), .word("true"),
      .list([]), .object([]), .list([node]), .list([.list([.list([])])]),
      .object([("x", node)]), .number(Self.deep),
    ]
    return one(of: values)
  }

  /// The bytes with some of them changed, cut off, added or moved.
  package mutating func damaged(_ bytes: [UInt8]) -> [UInt8] {
    var result = bytes
    for _ in 0...index(3) {
      guard !result.isEmpty else { return [0] }
      let at = index(result.count)
      switch index(6) {
      case 0: result[at] ^= 1 << UInt8(index(8))
      case 1: result[at] = one(of: [0, 1, 0x7F, 0x80, 0xFF])
      case 2: result.removeLast(min(result.count, 1 + index(once(in: 2) ? result.count : 16)))
      case 3:
        result.insert(contentsOf: (0...index(16)).map { UInt8(truncatingIfNeeded: $0) }, at: at)
      case 4:
        for place in at..<min(at + 8, result.count) { result[place] = 0xFF }
      default: result.removeSubrange(at..<min(at + 1 + index(16), result.count))
      }
    }
    return result
  }
}
