import FileFormats
import TensorCore

/// A parameter: a named range of the flat f32 buffer.
package struct ParameterEntry: Codable, Equatable, Sendable {
  /// The name in PyTorch's state dictionary.
  package let name: String
  /// The shape in files, which is PyTorch's.
  package let shape: [Int]
  /// The element type of the flat buffer, `F32`.
  package let dtype: String
  /// How the shape in memory differs from that in files.
  package let layout: TensorLayout
  /// Index of the first element in the flat buffer.
  package let offset: Int
  /// The number of elements.
  package let count: Int

  /// A parameter of this shape in files, starting at element `offset`.
  package init(name: String, shape: [Int], layout: TensorLayout, offset: Int) {
    self.name = name
    self.shape = shape
    self.dtype = SafetensorsDType.float32.rawValue
    self.layout = layout
    self.offset = offset
    count = shape.reduce(1, *)
  }

  /// The parameter's elements in the flat buffer.
  package var range: Range<Int> { offset..<offset + count }
}

/// The parameters of a flat f32 buffer, in the order of their offsets. Small gaps between them, for
/// alignment, are allowed and have no meaning.
package struct ParameterTable: Equatable, Sendable {
  /// The parameters in the order of their offsets.
  package let entries: [ParameterEntry]
  /// Elements of the flat buffer, gaps included.
  package let flatCount: Int

  /// A table; the program ends if entries overlap, exceed the buffer or share a name.
  package init(_ entries: [ParameterEntry], flatCount: Int) {
    let entries = entries.sorted { ($0.offset, $0.count) < ($1.offset, $1.count) }
    if let fault = ParameterTable.fault(entries, flatCount: flatCount) {
      fatalError("ParameterTable: \(fault)")
    }
    (self.entries, self.flatCount) = (entries, flatCount)
  }

  /// The entries in the order of their names' UTF-8 bytes.
  package var sortedByName: [ParameterEntry] {
    entries.sorted { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
  }

  /// What is wrong with a table, such as one that was read from a file; nil if nothing is. Entries
  /// must be in the order of their offsets.
  package static func fault(_ entries: [ParameterEntry], flatCount: Int) -> String? {
    var names = Set<String>()
    var end = 0
    for entry in entries {
      let name = entry.name
      if name.isEmpty || name == "__metadata__" || !names.insert(name).inserted {
        return "the name \"\(name)\" is empty, reserved or there twice"
      }
      if entry.dtype != SafetensorsDType.float32.rawValue {
        return "\(name) has dtype \(entry.dtype), expected F32"
      }
      if entry.offset < end {
        return "\(name) begins at \(entry.offset), expected \(end) or more"
      }
      if entry.count < 0 || entry.count > flatCount - entry.offset {
        return
          "\(name) has \(entry.count) elements from \(entry.offset) on, the buffer \(flatCount)"
      }
      if !entry.layout.accepts(fileShape: entry.shape) || elements(entry.shape) != entry.count {
        return "\(name) has shape \(entry.shape) with layout \(entry.layout.rawValue) "
          + "and \(entry.count) elements"
      }
      end = entry.offset + entry.count
    }
    return nil
  }

  /// The number of elements of a shape; nil if an extent is negative or the product overflows.
  private static func elements(_ shape: [Int]) -> Int? {
    var count = 1
    for extent in shape {
      let (product, overflow) = count.multipliedReportingOverflow(by: extent)
      if overflow || extent < 0 { return nil }
      count = product
    }
    return count
  }
}
