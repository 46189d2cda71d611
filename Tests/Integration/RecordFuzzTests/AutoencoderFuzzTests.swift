import DiffiTModels
import FileFormats
import FixtureSupport
import Foundation
import FuzzSupport
import RunData
import TensorCore
import Testing

extension DamagedRecordTests {
  /// Damaged autoencoders in diffusers' layout.
  @Suite("Autoencoders") struct AutoencoderFuzzTests {
    private let scratch: TemporaryFolder
    private let folder: URL
    private let context = ComputeContext()

    init() throws {
      scratch = try TemporaryFolder()
      folder = scratch.file("vae")
      try FileManager.default.copyItem(at: Repository.reference("vae/f2"), to: folder)
    }

    @Test func settings() throws {
      let url = folder.appendingPathComponent("config.json")
      let whole = try JSONTree(Data(contentsOf: url))
      let refused = Fuzz.run("config.json", mentioning: [folder.path]) { mutator in
        try Data(mutator.mutated(whole).json.utf8).write(to: url)
        _ = try Autoencoder.open(folder.path, on: context)
      }
      #expect(refused > Fuzz.rounds / 3)
    }

    @Test func indexOfSeveralFiles() throws {
      let name = "diffusion_pytorch_model"
      let file = try SafetensorsFile(folder.appendingPathComponent("\(name).safetensors"))
      try FileManager.default.moveItem(
        at: folder.appendingPathComponent("\(name).safetensors"),
        to: folder.appendingPathComponent("\(name)-00001-of-00001.safetensors"))
      let map = Dictionary(
        uniqueKeysWithValues: file.entries.map {
          ($0.name, "\(name)-00001-of-00001.safetensors")
        })
      let url = folder.appendingPathComponent("\(name).safetensors.index.json")
      try JSONSerialization.data(
        withJSONObject: ["metadata": ["total_size": 1], "weight_map": map]
      ).write(to: url)
      _ = try Autoencoder.open(folder.path, on: context)
      let whole = try JSONTree(Data(contentsOf: url))
      Fuzz.run("index.json", mentioning: [folder.path]) { mutator in
        try Data(mutator.mutated(whole).json.utf8).write(to: url)
        _ = try Autoencoder.open(folder.path, on: context)
      }
    }
  }
}
