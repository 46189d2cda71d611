import Foundation
import SystemSupport
import TensorCore

/// A safetensors file open for reading; its header is checked completely when it is opened.
///
/// Any number of threads may read at once. Nothing is held in memory but the header.
package struct SafetensorsFile: Sendable {
  /// The tensors, in the order of their data.
  package let entries: [SafetensorsEntry]
  /// The file's `__metadata__`, empty where there is none.
  package let metadata: [String: String]
  /// The file's path, as it was given.
  package let path: String
  private let file: InputFile
  private let dataStart: Int
  private let indices: [String: Int]

  /// - Throws: `FileError` for what the operating system refuses, and one `SafetensorsError` for
  ///   each way in which a header can be wrong.
  package init(_ url: URL) throws { try self.init(path: url.path) }

  /// The same, by its path.
  package init(path: String) throws {
    self.path = path
    file = try InputFile(path)
    let size = try file.size
    try FileUse.safetensors.check(try file.bytes(0..<min(size, FileKind.startSize)), path: path)
    let length = try SafetensorsHeader.length(
      file.bytes(0..<min(size, 8)), fileSize: size, path: path)
    dataStart = 8 + length
    let header = try SafetensorsHeader(
      file.bytes(8..<dataStart), dataSize: size - dataStart, path: path)
    entries = header.entries
    metadata = header.metadata
    indices = Dictionary(
      uniqueKeysWithValues: header.entries.enumerated().map { ($1.name, $0) })
  }

  /// The tensor of that name, or nil.
  package subscript(name: String) -> SafetensorsEntry? { indices[name].map { entries[$0] } }

  /// The tensor of that name.
  /// - Throws: `SafetensorsError.noSuchTensor`.
  package func entry(_ name: String) throws -> SafetensorsEntry {
    guard let entry = self[name] else {
      throw SafetensorsError.noSuchTensor(path: path, tensor: name)
    }
    return entry
  }

  /// The raw little-endian bytes of a tensor.
  package func bytes(_ name: String) throws -> [UInt8] {
    let data = try entry(name).data
    return try file.bytes(dataStart + data.lowerBound..<dataStart + data.upperBound)
  }

  /// A floating-point tensor as f32, row-major; f64 is rounded, f16 and bf16 are exact.
  /// - Throws: `SafetensorsError.tensorType` where the elements are not floating-point.
  package func floats(_ name: String) throws -> [Float] {
    let entry = try entry(name)
    var values = [Float](repeating: 0, count: entry.count)
    let result = values.withUnsafeMutableBufferPointer { buffer in
      Result { () throws in
        guard let base = buffer.baseAddress else { return }
        try readFloats(name, 0..<entry.count, into: base)
      }
    }
    try result.get()
    return values
  }

  /// Elements `range` of a floating-point tensor, in row-major order, as f32.
  /// - Throws: `SafetensorsError.tensorType` where the elements are not floating-point.
  package func readFloats(
    _ name: String, _ range: Range<Int>, into values: Floats
  ) throws {
    let entry = try entry(name)
    invariant(
      range.lowerBound >= 0 && range.upperBound <= entry.count,
      "SafetensorsFile.readFloats: \(range) of \(name) \(entry.shape)")
    guard entry.dtype.isFloatingPoint else {
      throw SafetensorsError.tensorType(
        path: path, tensor: name, found: entry.dtype, expected: "F32, F64, F16 or BF16")
    }
    let size = entry.dtype.size
    let start = dataStart + entry.data.lowerBound + range.lowerBound * size
    if entry.dtype == .float32 {
      let bytes = UnsafeMutableRawBufferPointer(start: values, count: range.count * size)
      return try file.read(into: bytes, at: start)
    }
    // Other types pass through a small buffer.
    let step = 1 << 16
    let piece = UnsafeMutableRawBufferPointer.allocate(byteCount: step * size, alignment: 64)
    defer { piece.deallocate() }
    for done in stride(from: 0, to: range.count, by: step) {
      let count = min(step, range.count - done)
      let part = UnsafeMutableRawBufferPointer(rebasing: piece[..<(count * size)])
      try file.read(into: part, at: start + done * size)
      entry.dtype.convertToFloats(UnsafeRawBufferPointer(part), values + done)
    }
  }

  /// An integer tensor, row-major.
  /// - Throws: `SafetensorsError.tensorType` for floating-point, boolean and U64 elements.
  package func integers(_ name: String) throws -> [Int] {
    let entry = try entry(name)
    guard entry.dtype.isInteger else {
      throw SafetensorsError.tensorType(
        path: path, tensor: name, found: entry.dtype, expected: "an integer type")
    }
    return try bytes(name).withUnsafeBytes { bytes in
      (0..<entry.count).map { entry.dtype.integer(bytes, $0) }
    }
  }
}
