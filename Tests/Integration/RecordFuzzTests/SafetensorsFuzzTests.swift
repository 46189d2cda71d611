import FileFormats
import FixtureSupport
import Foundation
import FuzzSupport
import ModelLoading
import Testing

extension DamagedRecordTests {
  /// Damaged headers of safetensors files.
  @Suite("Safetensors") struct SafetensorsFuzzTests {
    private let scratch: TemporaryFolder
    private let whole: [UInt8]

    init() throws {
      scratch = try TemporaryFolder()
      let url = scratch.file("model.safetensors")
      let writer = try SafetensorsWriter(
        url, [.init("a", .float32, [2, 3]), .init("b", .float32, []), .init("c", .float32, [0])],
        metadata: ["format": "pt"])
      for values in [[1, 2, 3, 4, 5, 6], [7], []] as [[Float]] { try writer.write(values) }
      try writer.finish()
      whole = Array(try Data(contentsOf: url))
    }

    private func read(_ bytes: [UInt8]) throws {
      let path = try scratch.write(Data(bytes), "model.safetensors")
      _ = try Inspection.text(of: path)
      let file = try SafetensorsFile(path: path)
      for entry in file.entries where entry.dtype.isFloatingPoint {
        _ = try file.floats(entry.name)
      }
      for entry in file.entries where entry.dtype.isInteger { _ = try file.integers(entry.name) }
    }

    @Test func headers() throws {
      let length = whole[..<8].reversed().reduce(0) { $0 << 8 | Int($1) }
      let tree = try JSONTree(Data(whole[8..<8 + length]))
      let refused = Fuzz.run("safetensors header", mentioning: [scratch.path]) { mutator in
        let header = Array(mutator.mutated(tree).json.utf8)
        let start = (0..<8).map { UInt8(truncatingIfNeeded: header.count >> (8 * $0)) }
        try read(start + header + whole[(8 + length)...])
      }
      #expect(refused > Fuzz.rounds / 3)
    }

    @Test func bytes() {
      Fuzz.run("safetensors bytes", mentioning: [scratch.path]) { mutator in
        try read(mutator.damaged(whole))
      }
    }
  }
}
