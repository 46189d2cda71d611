import Foundation
import SystemSupport
import TensorCore

/// Writes a safetensors file, its tensors one after the other in the order announced.
///
/// The bytes depend on names, shapes, types, values and metadata only. Data follow the header
/// without padding, so announce wider element types first where alignment matters to a reader.
/// Nothing is seen under the file's name before `finish`.
package final class SafetensorsWriter {
  /// What is announced of a tensor before its data come.
  package struct Announcement: Sendable {
    /// The tensor's name, unique in the file.
    package let name: String
    /// The type of its elements.
    package let dtype: SafetensorsDType
    /// Its sides, the last index running fastest.
    package let shape: [Int]

    /// Announces a tensor, of f32 unless said otherwise.
    package init(_ name: String, _ dtype: SafetensorsDType = .float32, _ shape: [Int]) {
      (self.name, self.dtype, self.shape) = (name, dtype, shape)
    }
  }

  private let path: String
  private let file: AtomicFile
  private var checksum = Checksum()
  private let expectedSize: Int

  /// Starts a file: writes the header of all `tensors`.
  package init(
    _ url: URL, _ tensors: [Announcement], metadata: [String: String] = [:]
  ) throws {
    path = url.path
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
    file = try AtomicFile(path, durable: true)
    expectedSize = header.count + end
    try header.withUnsafeBytes { bytes in
      Result { () throws in try add(bytes) }
    }.get()
  }

  /// Appends data of the announced tensors, in any pieces.
  package func write(_ bytes: UnsafeRawBufferPointer) throws {
    invariant(
      file.size + bytes.count <= expectedSize,
      "SafetensorsWriter: \(bytes.count) bytes more than the shapes announced in \(path)")
    try add(bytes)
  }

  private func add(_ bytes: UnsafeRawBufferPointer) throws {
    var done = 0
    while done < bytes.count {
      // In pieces, so that the checksum finds in the cache what the system call will read.
      let piece = UnsafeRawBufferPointer(rebasing: bytes[done..<min(done + 1 << 20, bytes.count)])
      checksum.update(piece)
      try file.append(piece)
      done += piece.count
    }
  }

  /// Appends f32 data.
  package func write(_ values: [Float]) throws {
    try values.withUnsafeBytes { bytes in
      Result { () throws in try write(bytes) }
    }.get()
  }

  /// Makes the file durable and visible under its name.
  /// - Returns: its size in bytes and its `Checksum`.
  @discardableResult
  package func finish() throws -> (size: Int, checksum: String) {
    invariant(
      file.size == expectedSize,
      "SafetensorsWriter: \(file.size) bytes written to \(path), announced \(expectedSize)")
    try file.commit()
    return (file.size, checksum.digest)
  }
}
