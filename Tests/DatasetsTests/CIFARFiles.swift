import FixtureSupport
import Foundation

/// The binary files of CIFAR-10, with two records each.
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
