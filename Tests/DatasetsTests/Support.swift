import Datasets
import ErrorSupport
import FileFormats
import Foundation

/// A folder for one test's files, removed with its handle.
final class TemporaryFolder {
  let path: String

  init() throws {
    path = NSTemporaryDirectory() + "diffit-datasets-" + UUID().uuidString
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  /// Writes a file, with the folders above it, and returns its path.
  @discardableResult
  func write(_ data: Data, _ name: String) throws -> String {
    let file = URL(fileURLWithPath: path + "/" + name)
    try FileManager.default.createDirectory(
      at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
    try data.write(to: file)
    return file.path
  }

  func makeFolder(_ name: String) throws {
    try FileManager.default.createDirectory(
      atPath: path + "/" + name, withIntermediateDirectories: true)
  }
}

enum CIFARFiles {
  /// Label i % 10, red 10 + i, green the row, blue the column.
  static func record(_ index: Int) -> Data {
    Data(
      [UInt8(index % 10)] + [UInt8](repeating: UInt8(10 + index), count: 1024)
        + (0..<1024).map { UInt8($0 / 32) } + (0..<1024).map { UInt8($0 % 32) })
  }

  /// The six files with two records each, the same as in `Fixtures.cifarArchive`.
  static func write(to folder: TemporaryFolder, under name: String) throws {
    let names = (1...5).map { "data_batch_\($0).bin" } + ["test_batch.bin"]
    for (index, file) in names.enumerated() {
      try folder.write(record(2 * index) + record(2 * index + 1), name + "/" + file)
    }
  }
}

extension RGBImage {
  subscript(x: Int, y: Int) -> [Int] {
    (0..<3).map { Int(pixels[(y * width + x) * 3 + $0]) }
  }
}

extension Augmentation {
  /// Augments an array in place.
  func apply(to image: inout [Float], height: Int, width: Int) {
    image.withUnsafeMutableBufferPointer { apply(to: $0, height: height, width: width) }
  }
}

extension AugmentationPipe {
  /// Augments an array in place, and returns the labels.
  func callAsFunction(
    _ image: inout [Float], height: Int, width: Int, seed: UInt64, position: UInt64
  ) -> [Float] {
    image.withUnsafeMutableBufferPointer {
      self($0, height: height, width: width, seed: seed, position: position)
    }
  }
}
