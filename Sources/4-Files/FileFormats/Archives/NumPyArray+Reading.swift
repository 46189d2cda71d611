import Foundation
import SystemSupport

extension NumPyArray {
  /// Reads an `.npy` file.
  package static func read(_ path: String) throws -> NumPyArray {
    try NumPyArray(encoded: try Files.map(path), path: path)
  }

  /// An NPY that is in memory; errors call it `path`.
  package init(encoded: Data, path: String) throws {
    var rest = encoded
    let header = try NumPyHeader(path: path) { count in
      defer { rest = rest.dropFirst(count) }
      return Array(rest.prefix(count))
    }
    guard rest.count == header.byteCount else {
      throw ArchiveError.wrongArraySize(path: path, expected: header.byteCount, found: rest.count)
    }
    var bytes = Array(rest)
    if header.isBigEndian { NumPyArray.swap(&bytes, size: header.type.size) }
    if header.isFortranOrder && header.shape.count > 1 {
      bytes = NumPyArray.reorder(bytes, header.shape, size: header.type.size)
    }
    self.init(header.type, shape: header.shape, bytes: bytes)
  }

  /// Reverses the bytes of every element.
  private static func swap(_ bytes: inout [UInt8], size: Int) {
    func swap<Word: FixedWidthInteger & BitwiseCopyable>(_: Word.Type) {
      bytes.withUnsafeMutableBytes { buffer in
        for offset in stride(from: 0, to: buffer.count, by: size) {
          let word = buffer.loadUnaligned(fromByteOffset: offset, as: Word.self)
          buffer.storeBytes(of: word.byteSwapped, toByteOffset: offset, as: Word.self)
        }
      }
    }
    switch size {
    case 2: swap(UInt16.self)
    case 4: swap(UInt32.self)
    default: swap(UInt64.self)
    }
  }

  /// From Fortran order to C order.
  private static func reorder(_ bytes: [UInt8], _ shape: [Int], size: Int) -> [UInt8] {
    var steps: [Int] = []
    var step = size
    for side in shape {
      steps.append(step)
      step *= side
    }
    return [UInt8](unsafeUninitializedCapacity: bytes.count) { result, written in
      var (index, from) = ([Int](repeating: 0, count: shape.count), 0)
      while written < bytes.count {
        for byte in 0..<size { result[written + byte] = bytes[from + byte] }
        written += size
        var axis = shape.count - 1
        repeat {
          index[axis] += 1
          from += steps[axis]
          if index[axis] < shape[axis] { break }
          from -= index[axis] * steps[axis]
          index[axis] = 0
          axis -= 1
        } while axis >= 0
      }
    }
  }

  /// Writes an `.npy` file, format 1.0, durably and as a whole.
  package func write(to path: String) throws {
    let file = try AtomicFile(path, durable: true)
    try file.append(NumPyHeader(type: type, shape: shape).encoded)
    try file.append(bytes)
    try file.commit()
  }
}
