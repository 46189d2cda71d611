/// Files beside the images of a set that are not used, counted by kind.
package struct LeftOut: Equatable, Sendable {
  /// Counts by kind: an ending in small letters (`.webp`), or words (`hidden`).
  package private(set) var counts: [String: Int]

  /// - Parameter counts: by kind; none by default.
  package init(_ counts: [String: Int] = [:]) { self.counts = counts }

  /// More kinds than these are told as one number.
  private static let shownKinds = 8

  /// Whether everything is used.
  package var isEmpty: Bool { counts.isEmpty }

  /// `10 .webp, 1 .bmp, 2 hidden`, the most first; empty where everything is used.
  package var text: String {
    let sorted = counts.sorted { ($1.value, $0.key) < ($0.value, $1.key) }
    let shown = sorted.prefix(Self.shownKinds).map { "\($0.value) \($0.key)" }
    let rest = sorted.dropFirst(Self.shownKinds).reduce(0) { $0 + $1.value }
    return (shown + (rest > 0 ? ["\(rest) of other kinds"] : [])).joined(separator: ", ")
  }

  /// Counts files of a kind.
  mutating func add(_ kind: String, _ count: Int = 1) { counts[kind, default: 0] += count }

  /// Counts a file by its name.
  mutating func add(name: String) {
    let ending = ImageNames.ending(name)
    add(ImageNames.isHidden(name) ? "hidden" : ending.isEmpty ? "without an ending" : ".\(ending)")
  }

  /// Counts what another part of the set left out.
  mutating func add(_ other: LeftOut) { counts.merge(other.counts, uniquingKeysWith: +) }
}
