import Foundation
import SystemSupport
import TensorCore

/// Writes a safetensors file, its tensors one after the other in the order announced.
///
/// The bytes depend on names, shapes, types, values and metadata alone. Data follow the header without
/// padding, so announce wider element types first where alignment matters to a reader. A file that is
/// not finished is removed.
package final class SafetensorsWriter {
  /// What is announced of a tensor before its data come.
  package struct Announcement: Sendable {
    package let name: String
    package let dtype: SafetensorsDType
    package let shape: [Int]

    package init(_ name: String, _ dtype: SafetensorsDType = .float32, _ shape: [Int]) {
      (self.name, self.dtype, self.shape) = (name, dtype, shape)
    }
  }

  private let path: String
  /// Where the bytes go until they are complete.
  private let workPath: String
  private let file: OutputFile
  private let expectedSize: Int
  private var isFinished = false

  /// Starts a file: writes the header of all `tensors`.
  ///
  /// - Parameter replacing: write under a hidden name beside `url` and rename when complete, so that
  ///   `url` never holds half a file. Not needed inside a directory that is itself renamed.
  package init(
    _ url: URL, _ tensors: [Announcement], metadata: [String: String] = [:],
    replacing: Bool = true
  ) throws {
    path = url.path
    workPath = replacing ? FileSystem.temporary(beside: path) : path
    var entries: [SafetensorsEntry] = []
    var names = Set<String>()
    var end = 0
    for tensor in tensors {
      invariant(
        tensor.name != "__metadata__" && names.insert(tensor.name).inserted
          && tensor.shape.allSatisfy { $0 >= 0 },
        "SafetensorsWriter: tensor \(tensor.name) \(tensor.shape): a name twice, or a bad shape")
      let next = end + tensor.shape.reduce(tensor.dtype.size, *)
      entries.append(
        SafetensorsEntry(
          name: tensor.name, dtype: tensor.dtype, shape: tensor.shape, data: end..<next))
      end = next
    }
    let header = SafetensorsHeader.encode(entries, metadata: metadata)
    invariant(
      header.count - 8 <= SafetensorsHeader.limit,
      "SafetensorsWriter: a header of \(header.count) bytes")
    file = try OutputFile(workPath)
    expectedSize = header.count + end
    try header.withUnsafeBytes { bytes in
      Result { () throws in try file.write(bytes) }
    }.get()
  }

  deinit {
    if !isFinished { unlink(workPath) }
  }

  /// Appends data of the announced tensors, in any pieces.
  package func write(_ bytes: UnsafeRawBufferPointer) throws {
    invariant(
      file.size + bytes.count <= expectedSize,
      "SafetensorsWriter: \(bytes.count) bytes more than the shapes announced in \(path)")
    try file.write(bytes)
  }

  /// Appends f32 data.
  package func write(_ values: [Float]) throws {
    try values.withUnsafeBytes { bytes in
      Result { () throws in try write(bytes) }
    }.get()
  }

  /// Makes the file durable and, where it replaces, visible under its name.
  /// - Returns: its size in bytes and its `Checksum`.
  @discardableResult
  package func finish() throws -> (size: Int, checksum: String) {
    invariant(
      file.size == expectedSize,
      "SafetensorsWriter: \(file.size) bytes written to \(path), announced \(expectedSize)")
    let checksum = try file.finish()
    if workPath != path {
      try FileSystem.rename(workPath, to: path)
      isFinished = true
      try FileSystem.sync(directory: FileSystem.parent(of: path))
    }
    isFinished = true
    return (file.size, checksum)
  }
}
