import SystemSupport

/// One tensor of a safetensors file.
package struct SafetensorsEntry: Equatable, Sendable {
  /// The tensor's name, unique in the file.
  package let name: String
  /// The type of its elements.
  package let dtype: SafetensorsDType
  /// Its sides, the last index running fastest; empty for a scalar.
  package let shape: [Int]
  /// Its bytes, counted from the end of the header.
  package let data: Range<Int>

  /// Number of elements; 1 for a scalar (`[]`).
  package var count: Int { data.count / dtype.size }
}

/// What stands in front of a safetensors file's data: names, types, shapes and places of the
/// tensors.
///
/// Source: the format's description in huggingface/safetensors. Eight bytes with the header's
/// length (little-endian), then a JSON object padded with spaces, then the tensors' bytes without
/// holes.
package struct SafetensorsHeader: Equatable, Sendable {
  /// Longest header accepted, as in the reference implementation.
  package static let limit = 100_000_000

  /// In the order of their data.
  package let entries: [SafetensorsEntry]
  /// The file's `__metadata__`, empty where there is none.
  package let metadata: [String: String]

  /// The header's length as told by a file's first eight bytes, checked against the file's size.
  package static func length(
    _ bytes: [UInt8], fileSize: Int, path: String
  ) throws(SafetensorsError) -> Int {
    guard fileSize >= 8, bytes.count == 8 else { throw .shortFile(path: path, size: fileSize) }
    let length = bytes.reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
    guard length <= limit else { throw .headerLimit(path: path, length: length) }
    guard Int(length) <= fileSize - 8 else {
      throw .headerBeyondFile(path: path, length: Int(length), size: fileSize)
    }
    return Int(length)
  }

  /// Reads a header and checks that its tensors fill `dataSize` bytes, each once.
  package init(_ bytes: [UInt8], dataSize: Int, path: String) throws(SafetensorsError) {
    guard String(validating: bytes, as: UTF8.self) != nil else {
      throw .headerEncoding(path: path)
    }
    guard bytes.first == UInt8(ascii: "{") else {
      throw .headerSyntax(path: path, offset: 0, expected: "\"{\"")
    }
    var scanner = HeaderScanner(bytes, path: path)
    var entries: [SafetensorsEntry] = []
    var metadata: [String: String] = [:]
    try scanner.object { (scanner, key) throws(SafetensorsError) in
      if key == "__metadata__" {
        try scanner.object { (scanner, key) throws(SafetensorsError) in
          metadata[key] = try scanner.string()
        }
      } else {
        entries.append(try SafetensorsHeader.entry(key, &scanner))
      }
    }
    try scanner.end()
    // Empty tensors first, or one at the begin of another would look like an overlap.
    entries.sort {
      ($0.data.lowerBound, $0.data.upperBound) < ($1.data.lowerBound, $1.data.upperBound)
    }
    var end = 0
    for entry in entries {
      let begin = entry.data.lowerBound
      if begin > end { throw .hole(path: path, tensor: entry.name, begin: begin, expected: end) }
      if begin < end { throw .overlap(path: path, tensor: entry.name, begin: begin, expected: end) }
      end = entry.data.upperBound
    }
    guard end == dataSize else { throw .dataSize(path: path, found: dataSize, expected: end) }
    self.entries = entries
    self.metadata = metadata
  }

  private static func entry(
    _ name: String, _ scanner: inout HeaderScanner
  ) throws(SafetensorsError) -> SafetensorsEntry {
    let path = scanner.path
    var (dtypeName, shape, offsets): (String?, [Int]?, [Int]?)
    var offsetsPosition = 0
    try scanner.object { (scanner, field) throws(SafetensorsError) in
      switch field {
      case "dtype": dtypeName = try scanner.string()
      case "shape": shape = try scanner.integers()
      case "data_offsets":
        offsetsPosition = scanner.position
        offsets = try scanner.integers()
      default: throw .unknownField(path: path, tensor: name, field: field)
      }
    }
    guard let dtypeName else { throw .missingField(path: path, tensor: name, field: "dtype") }
    guard let shape else { throw .missingField(path: path, tensor: name, field: "shape") }
    guard let offsets else { throw .missingField(path: path, tensor: name, field: "data_offsets") }
    guard let dtype = SafetensorsDType(rawValue: dtypeName) else {
      throw .unknownDType(path: path, tensor: name, dtype: dtypeName)
    }
    guard offsets.count == 2 else {
      throw .headerSyntax(path: path, offset: offsetsPosition, expected: "two data_offsets")
    }
    guard offsets[0] <= offsets[1] else {
      throw .reversedRange(path: path, tensor: name, begin: offsets[0], end: offsets[1])
    }
    guard let size = byteCount(shape, dtype) else {
      throw .shapeOverflow(path: path, tensor: name, shape: shape)
    }
    guard size == offsets[1] - offsets[0] else {
      throw .tensorSize(
        path: path, tensor: name, found: offsets[1] - offsets[0], expected: size)
    }
    return SafetensorsEntry(
      name: name, dtype: dtype, shape: shape, data: offsets[0]..<offsets[1])
  }

  /// Bytes of a tensor; nil where they overflow an `Int`.
  private static func byteCount(_ shape: [Int], _ dtype: SafetensorsDType) -> Int? {
    var size = dtype.size
    for extent in shape {
      let (product, overflow) = size.multipliedReportingOverflow(by: extent)
      if overflow { return nil }
      size = product
    }
    return size
  }

  /// The bytes of a file up to its data: length, JSON in the order given, spaces up to a multiple
  /// of eight.
  package static func encode(_ entries: [SafetensorsEntry], metadata: [String: String]) -> [UInt8] {
    var members: [String] = []
    if !metadata.isEmpty {
      let pairs = metadata.sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }
        .map { "\(JSONText.quoted($0.key)):\(JSONText.quoted($0.value))" }
      members.append("\"__metadata__\":{\(pairs.joined(separator: ","))}")
    }
    members += entries.map { entry in
      let shape = entry.shape.map(String.init).joined(separator: ",")
      return
        "\(JSONText.quoted(entry.name)):{\"dtype\":\"\(entry.dtype.rawValue)\",\"shape\":[\(shape)],"
        + "\"data_offsets\":[\(entry.data.lowerBound),\(entry.data.upperBound)]}"
    }
    var json = Array("{\(members.joined(separator: ","))}".utf8)
    json += Array(repeating: UInt8(ascii: " "), count: (8 - json.count % 8) % 8)
    let length = UInt64(json.count)
    return (0..<8).map { UInt8(truncatingIfNeeded: length >> (8 * UInt64($0))) } + json
  }
}
