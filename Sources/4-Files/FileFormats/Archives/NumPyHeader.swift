/// What stands before the elements of an NPY.
///
/// Source: NumPy's format 1.0, 2.0 and 3.0 (`numpy.lib.format`): a magic number, the version, the
/// header's length in 2 bytes (1.0) or 4, and a Python dictionary with exactly the keys `descr`,
/// `fortran_order` and `shape`, padded with spaces to a line's end.
package struct NumPyHeader: Equatable {
  /// The type of each element.
  package let type: NumPyType
  /// Sides from the slowest index to the fastest in C order; empty for a single number.
  package let shape: [Int]
  var isBigEndian = false
  /// The first index runs fastest.
  package var isFortranOrder = false

  /// Longest header that is read; NumPy's own are below 200 bytes.
  private static let limit = 1 << 16
  private static let magic: [UInt8] = [0x93] + Array("NUMPY".utf8)

  /// Elements.
  package var count: Int { shape.reduce(1, *) }
  /// Bytes of all elements.
  package var byteCount: Int { count * type.size }

  /// Such as `float32 [3, 4]`.
  package var summary: String {
    "\(type.name) \(shape)" + (isFortranOrder ? " in Fortran order" : "")
  }

  /// The header of an array that is written: in C order and little-endian.
  package init(type: NumPyType, shape: [Int]) {
    (self.type, self.shape) = (type, shape)
  }

  /// - Parameters:
  ///   - path: what errors name.
  ///   - read: yields the next bytes, fewer where the file ends.
  package init(
    path: String, read: (Int) throws -> [UInt8]
  ) throws {
    let start = try read(8)
    guard start.count == 8, start.starts(with: NumPyHeader.magic) else {
      throw ArchiveError.notNumPy(path: path)
    }
    let (major, minor) = (start[6], start[7])
    guard (1...3).contains(major) && minor == 0 else {
      throw ArchiveError.brokenNumPyHeader(
        path: path, reason: "format \(major).\(minor), expected 1.0, 2.0 or 3.0")
    }
    let lengthBytes = try read(major == 1 ? 2 : 4)
    let length = lengthBytes.reversed().reduce(0) { $0 << 8 | Int($1) }
    guard lengthBytes.count == (major == 1 ? 2 : 4), length <= NumPyHeader.limit else {
      throw ArchiveError.brokenNumPyHeader(path: path, reason: "its length is missing or absurd")
    }
    let text = try read(length)
    guard text.count == length else {
      throw ArchiveError.brokenNumPyHeader(
        path: path, reason: "it has \(text.count) bytes, expected \(length)")
    }
    var scanner = NumPyHeaderScanner(text, path: path)
    let fields = try scanner.dictionary()
    try self.init(fields, path: path)
  }

  private init(
    _ fields: [String: NumPyHeaderScanner.Value], path: String
  ) throws {
    func broken(_ reason: String) -> ArchiveError { .brokenNumPyHeader(path: path, reason: reason) }
    guard fields.keys.sorted() == ["descr", "fortran_order", "shape"] else {
      throw broken("keys \(fields.keys.sorted()), expected descr, fortran_order and shape")
    }
    guard case .truth(let isFortranOrder)? = fields["fortran_order"] else {
      throw broken("fortran_order is neither True nor False")
    }
    guard case .numbers(let shape)? = fields["shape"] else {
      throw broken("shape is no tuple of whole numbers")
    }
    var bytes = 8
    for side in shape {
      let (product, overflow) = bytes.multipliedReportingOverflow(by: max(side, 1))
      guard !overflow else { throw broken("shape \(shape) is larger than any memory") }
      bytes = product
    }
    guard case .text(let code)? = fields["descr"] else {
      throw ArchiveError.unsupportedElements(path: path, type: "a structure")
    }
    guard let type = NumPyType(rawValue: String(code.dropFirst())), let order = code.first,
      order == "<" || order == ">" || (order == "|" && type.size == 1)
    else { throw ArchiveError.unsupportedElements(path: path, type: code) }
    self.init(type: type, shape: shape)
    isBigEndian = order == ">" && type.size > 1
    self.isFortranOrder = isFortranOrder
  }

  /// The header's bytes as NumPy writes them: format 1.0, or 2.0 for shapes of absurdly many axes,
  /// padded so that elements begin at a multiple of 64 bytes.
  package var encoded: [UInt8] {
    let sides = shape.count == 1 ? "\(shape[0])," : shape.map(String.init).joined(separator: ", ")
    var text = Array(
      ("{'descr': '\(type.descriptor)', 'fortran_order': \(isFortranOrder ? "True" : "False"), "
        + "'shape': (\(sides)), }").utf8)
    let isLong = text.count > 65_000
    let prefix = isLong ? 12 : 10
    let padding = 63 - (prefix + text.count) % 64
    text += [UInt8](repeating: UInt8(ascii: " "), count: padding) + [UInt8(ascii: "\n")]
    let length = (0..<(isLong ? 4 : 2)).map { UInt8(truncatingIfNeeded: text.count >> (8 * $0)) }
    return NumPyHeader.magic + [isLong ? 2 : 1, 0] + length + text
  }
}
