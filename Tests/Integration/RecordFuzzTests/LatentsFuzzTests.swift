import CommandSupport
import Configuration
import DataPreparation
import FixtureSupport
import Foundation
import FuzzSupport
import RunData
import Testing

extension DamagedRecordTests {
  /// Damaged descriptions of latents, and records of how latents and images are made.
  @Suite("Latents") struct LatentsFuzzTests {
    private let scratch: TemporaryFolder
    private let files: [LatentsDescription.File]
    private let sums: LatentSums

    init() throws {
      scratch = try TemporaryFolder()
      var block = LatentBlock(shape: [3, 2, 2], precision: .fp32)
      for _ in 0..<5 {
        let values = (0..<12).map { Float($0) / 8 }
        block.add(values, values.map { -$0 }, flipped: false)
        block.labels.append(0)
      }
      let name = LatentsDescription.fileName(0, of: 1)
      try scratch.makeFolder("latents")
      let (size, checksum) = try block.write(to: scratch.file("latents/\(name)").path)
      files = [.init(name: name, images: 5, size: size, checksum: checksum)]
      sums = block.sums
    }

    @Test func descriptions() throws {
      let description = LatentsDescription(
        vae: String(repeating: "a", count: 32), factor: 4, shape: [3, 2, 2], images: 5,
        fileImages: 1000, classes: ["x", "y"], source: "images", sourceDigest: "s",
        precision: .fp32, flips: false, scale: 2, scalingFactor: 0.5, files: files)
      let path = scratch.file("latents/latents.json").path
      try writeJSON(description, to: path)
      let whole = try JSONTree(Data(contentsOf: URL(fileURLWithPath: path)))
      let refused = Fuzz.run("latents.json", mentioning: [scratch.path]) { mutator in
        try scratch.write(mutator.mutated(whole).json, "latents/latents.json")
        let dataset = try LatentDataset(path: scratch.file("latents").path, scale: nil)
        for index in [0, dataset.count - 1] {
          _ = try dataset.sample(index, seed: 1, position: UInt64(index))
        }
      }
      #expect(refused > Fuzz.rounds / 3)
    }

    @Test func notesOfAnEncoding() throws {
      let options = try EncodeOptions(
        source: "images", vae: "vae", output: scratch.file("out").path, resolution: 8)
      let folder = EncodeFolder(of: options)
      try scratch.makeFolder("out.partial/notes")
      try FileManager.default.copyItem(
        at: scratch.file("latents/\(files[0].name)"),
        to: scratch.file("out.partial/\(files[0].name)"))
      let text = """
        {"source": "s", "images": 5, "resolution": 8, "vae": "v", "flips": false,
         "precision": "fp32", "fileImages": 1000}
        """
      let recordPath = try scratch.write(text, "out.partial/notes/encode.json")
      let record = try EncodeRecord(readingFile: recordPath)
      let notePath = scratch.file("out.partial/notes/00000.json").path
      try writeJSON(EncodeFolder.Note(file: files[0], sums: sums), to: notePath)
      #expect(try folder.prepare(record) == [true])
      let wholeRecord = try JSONTree(Data(text.utf8))
      let wholeNote = try JSONTree(Data(contentsOf: URL(fileURLWithPath: notePath)))
      Fuzz.run("encode.json", mentioning: [scratch.path]) { mutator in
        try scratch.write(mutator.mutated(wholeRecord).json, "out.partial/notes/encode.json")
        _ = try folder.prepare(record)
      }
      try scratch.write(text, "out.partial/notes/encode.json")
      Fuzz.run("note", mentioning: [scratch.path]) { mutator in
        try scratch.write(mutator.mutated(wholeNote).json, "out.partial/notes/00000.json")
        guard try folder.prepare(record) == [true] else { return }
        var sums = LatentSums()
        for note in try folder.notes(record) { sums.add(note.sums) }
        #expect(sums.count > 0)
      }
    }

    @Test func recordsOfAConversion() throws {
      let text = """
        {"source": "s", "images": 5, "resolution": 8, "transform": "center-crop",
         "filter": "lanczos"}
        """
      let whole = try JSONTree(Data(text.utf8))
      let record = try ConvertRecord(readingFile: scratch.write(text, "convert.json"))
      Fuzz.run("convert.json", mentioning: [scratch.path]) { mutator in
        let path = try scratch.write(mutator.mutated(whole).json, "convert.json")
        _ = record.difference(from: try ConvertRecord(readingFile: path))
      }
    }
  }
}
