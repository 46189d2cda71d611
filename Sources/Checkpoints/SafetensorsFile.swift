import Foundation
import TensorCore

/// A safetensors file open for reading; its header is checked completely when it is opened.
///
/// Any number of threads may read at once. Nothing is held in memory but the header.
public struct SafetensorsFile: Sendable {
  /// The tensors, in the order of their data.
  public let entries: [SafetensorsEntry]
  /// The file's `__metadata__`, empty where there is none.
  public let metadata: [String: String]
  public let path: String
  private let file: InputFile
  private let dataStart: Int
  private let indices: [String: Int]

  /// - Throws: `CheckpointError` for what the operating system refuses, and one case for each way in
  ///   which a header can be wrong.
  public init(_ url: URL) throws(CheckpointError) { try self.init(path: url.path) }

  init(path: String) throws(CheckpointError) {
    self.path = path
    file = try InputFile(path)
    let size = try file.size
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
  public subscript(name: String) -> SafetensorsEntry? { indices[name].map { entries[$0] } }

  /// The tensor of that name.
  /// - Throws: `CheckpointError.noSuchTensor`.
  public func entry(_ name: String) throws(CheckpointError) -> SafetensorsEntry {
    guard let entry = self[name] else { throw .noSuchTensor(path: path, tensor: name) }
    return entry
  }

  /// The raw little-endian bytes of a tensor.
  public func bytes(_ name: String) throws(CheckpointError) -> [UInt8] {
    let data = try entry(name).data
    return try file.bytes(dataStart + data.lowerBound..<dataStart + data.upperBound)
  }

  /// A floating-point tensor as f32, row-major; f64 is rounded, f16 and bf16 are exact.
  /// - Throws: `CheckpointError.tensorType` where the elements are not floating-point.
  public func floats(_ name: String) throws(CheckpointError) -> [Float] {
    let entry = try entry(name)
    var values = [Float](repeating: 0, count: entry.count)
    let result = values.withUnsafeMutableBufferPointer { buffer in
      Result { () throws(CheckpointError) in
        guard let base = buffer.baseAddress else { return }
        try readFloats(name, 0..<entry.count, into: base)
      }
    }
    try result.get()
    return values
  }

  /// Elements `range` of a floating-point tensor, in row-major order, as f32.
  /// - Throws: `CheckpointError.tensorType` where the elements are not floating-point.
  public func readFloats(
    _ name: String, _ range: Range<Int>, into values: Floats
  ) throws(CheckpointError) {
    let entry = try entry(name)
    invariant(
      range.lowerBound >= 0 && range.upperBound <= entry.count,
      "SafetensorsFile.readFloats: \(range) of \(name) \(entry.shape)")
    guard entry.dtype.isFloatingPoint else {
      throw .tensorType(
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
  /// - Throws: `CheckpointError.tensorType` for floating-point, boolean and U64 elements.
  public func integers(_ name: String) throws(CheckpointError) -> [Int] {
    let entry = try entry(name)
    guard entry.dtype.isInteger else {
      throw .tensorType(path: path, tensor: name, found: entry.dtype, expected: "an integer type")
    }
    return try bytes(name).withUnsafeBytes { bytes in
      (0..<entry.count).map { entry.dtype.integer(bytes, $0) }
    }
  }
}
