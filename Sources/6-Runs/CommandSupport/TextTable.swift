/// A table in plain text: columns of equal width, two spaces apart.
///
/// ```swift
/// var table = TextTable([.left("operator"), .right("time")])
/// table.add(["conv", "12.5 ms"])
/// print(table.lines.joined(separator: "\n"))
/// // operator     time
/// // conv      12.5 ms
/// ```
package struct TextTable: Sendable {
  /// A heading, the side on which cells are aligned, and the least width in characters.
  package struct Column: Sendable {
    fileprivate let heading: String
    fileprivate let isRight: Bool
    fileprivate let width: Int

    /// A column of words.
    package static func left(_ heading: String = "", width: Int = 0) -> Column {
      Column(heading: heading, isRight: false, width: width)
    }

    /// A column of numbers.
    package static func right(_ heading: String = "", width: Int = 0) -> Column {
      Column(heading: heading, isRight: true, width: width)
    }
  }

  private let columns: [Column]
  private let indent: String
  private var rows: [[String]] = []

  /// - Parameters:
  ///   - columns: from left to right. Where none has a heading, there is no line of headings.
  ///   - indent: spaces before each line.
  package init(_ columns: [Column], indent: Int = 0) {
    (self.columns, self.indent) = (columns, String(repeating: " ", count: indent))
  }

  /// Adds a row; cells that are missing at its end are empty. A cell is one line.
  package mutating func add(_ cells: [String]) { rows.append(cells.map { $0.visible() }) }

  /// The headings and the rows, without spaces at their ends.
  package var lines: [String] {
    let headings = columns.map(\.heading)
    let all = headings.contains { !$0.isEmpty } ? [headings] + rows : rows
    let widths = columns.indices.map { index in
      all.reduce(columns[index].width) { max($0, $1.count > index ? $1[index].count : 0) }
    }
    return all.map { cells in
      let padded = zip(cells, zip(columns, widths)).map { cell, place in
        let space = String(repeating: " ", count: place.1 - cell.count)
        return place.0.isRight ? space + cell : cell + space
      }
      let line = indent + padded.joined(separator: "  ")
      return String(line.reversed().drop { $0 == " " }.reversed())
    }
  }
}
