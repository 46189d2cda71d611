import FileFormats
import Foundation
import Testing

extension EndToEndTests {
  /// `train --init` with weights in the layout that DiffiT's authors publish.
  @Suite struct PublishedWeightsTests {
    let scene: Scene

    init() throws { scene = try Scene() }

    /// The tables' names are theirs, and each has its index beside it.
    private func publish(_ own: SafetensorsFile, shiftingIndexBy shift: Int64 = 0) throws -> String
    {
      var tensors: [(SafetensorsWriter.Announcement, [UInt8])] = []
      for entry in own.entries {
        let name = entry.name.replacingOccurrences(
          of: "attn.bias.table", with: "attn.relative_position_bias_table")
        tensors.append((.init(name, entry.dtype, entry.shape), try own.bytes(entry.name)))
        guard name != entry.name else { continue }
        // Windows of 4, [49, heads].
        let index = (0..<256).map { at -> Int64 in
          let (query, key) = (at / 16, at % 16)
          return Int64((query / 4 - key / 4 + 3) * 7 + query % 4 - key % 4 + 3) + shift
        }
        let scope = entry.name.dropLast("bias.table".count)
        tensors.append(
          (
            .init("\(scope)relative_position_index", .int64, [16, 16]),
            index.withUnsafeBytes { Array($0) }
          ))
      }
      #expect(tensors.count > own.entries.count)
      let path = scene.path("published.safetensors")
      let writer = try SafetensorsWriter(URL(fileURLWithPath: path), tensors.map(\.0))
      for (_, bytes) in tensors { try bytes.withUnsafeBytes { try writer.write($0) } }
      try writer.finish()
      return path
    }

    @Test func trainingStartsFromThem() throws {
      let one = RunFolder(scene, "one")
      try one.train()
      let own = try one.tensors()
      let published = try publish(own)
      // With warm-up the first step's rate is 0: a run of one step still has the weights it began with.
      let new = RunFolder(scene, "new")
      try new.train("train.images=16", "train.seed=5", options: ["--init", published])
      #expect(try new.export() == one.export())

      let other = try publish(own, shiftingIndexBy: 1)
      try expectRefusal(
        1, Diffit.training(scene.path("refused"), options: ["--init", other]), saying: other,
        "relative_position_index", "element 0 is 25.0, expected 24.0")
      #expect(!scene.exists("refused"))
    }
  }
}
