import Autodiff
import DiffiTModels
import FixtureSupport
import Foundation
import TensorCore
import Testing

@Suite struct ParameterCountTests {
  /// Counts of the paper's networks, found without taking their memory: nothing here has an context.
  @Test(arguments: [([4, 4, 4], 28_684_803), ([2, 2, 2], 15_871_427)])
  func cifar(_ blocks: [Int], _ count: Int) {
    var settings = ImageDiffiT.Settings()
    settings.blocks = blocks
    #expect(ImageDiffiT(settings).parameters.parameterCount == count)
  }

  @Test func ffhq() {
    var settings = ImageDiffiT.Settings()
    settings.resolution = 64
    settings.channels = [128, 256, 256, 256]
    settings.blocks = [1, 2, 2, 2]
    settings.window = 8
    #expect(ImageDiffiT(settings).parameters.parameterCount == 23_797_979)
  }

  @Test func conditionsAddTheirLayers() {
    var settings = ImageDiffiT.Settings()
    let plain = ImageDiffiT(settings).parameters.parameterCount
    settings.augmentLabels = 9
    #expect(ImageDiffiT(settings).parameters.parameterCount == plain + 1152)
    settings.classes = 10
    #expect(ImageDiffiT(settings).parameters.parameterCount == plain + 1152 + 10 * 128 + 128)
  }

  @Test func dropoutAddsNoParameters() {
    var settings = ImageDiffiT.Settings()
    let plain = ImageDiffiT(settings).parameters.flatCount
    settings.dropout = 0.13
    #expect(ImageDiffiT(settings).parameters.flatCount == plain)
  }
}

/// Checkpoint keys and shapes.
@Suite struct ParameterNameTests {
  @Test func smallestNetwork() {
    var settings = ImageDiffiT.Settings()
    (settings.resolution, settings.channels, settings.blocks) = (4, [8], [1])
    (settings.window, settings.headDim, settings.timeDim) = (2, 4, 6)
    settings.embedDim = 10
    let found = ImageDiffiT(settings).parameters.parameters.map {
      "\($0.name) \($0.layout.fileShape($0.shape))"
    }
    #expect(
      found == [
        "time_mlp.0.weight [6, 10]", "time_mlp.0.bias [6]", "time_mlp.1.weight [6, 6]",
        "time_mlp.1.bias [6]", "tokenizer.weight [8, 3, 3, 3]", "tokenizer.bias [8]",
        "encoder.0.0.norm.weight [8]", "encoder.0.0.norm.bias [8]",
        "encoder.0.0.conv.weight [8, 8, 3, 3]", "encoder.0.0.conv.bias [8]",
        "encoder.0.0.block.attn.qkv.weight [24, 8]", "encoder.0.0.block.attn.qkv.bias [24]",
        "encoder.0.0.block.attn.qkv_temb.weight [24, 6]",
        "encoder.0.0.block.attn.qkv_temb.bias [24]", "encoder.0.0.block.attn.bias.table [9, 2]",
        "encoder.0.0.block.attn.proj.weight [8, 8]", "encoder.0.0.block.attn.proj.bias [8]",
        "encoder.0.0.block.mlp.fc1.weight [32, 8]", "encoder.0.0.block.mlp.fc1.bias [32]",
        "encoder.0.0.block.mlp.fc2.weight [8, 32]", "encoder.0.0.block.mlp.fc2.bias [8]",
        "head_norm.weight [8]", "head_norm.bias [8]", "head_conv.weight [3, 8, 3, 3]",
        "head_conv.bias [3]",
      ])
  }

  static let goldens = Repository.reference()

  /// The PyTorch oracle's own names and shapes, out of the headers of its goldens.
  @Test(.enabled(if: FileManager.default.fileExists(atPath: goldens.path)))
  func goldenHeaders() throws {
    let files = try FileManager.default.contentsOfDirectory(
      at: Self.goldens, includingPropertiesForKeys: nil
    ).filter { $0.pathExtension == "safetensors" }
    var compared = 0
    for file in files {
      guard let golden = try GoldenHeader(file) else { continue }
      compared += 1
      let parameters = ImageDiffiT(golden.settings).parameters.parameters
      let found = Dictionary(
        uniqueKeysWithValues: parameters.map {
          ($0.name, $0.layout.fileShape($0.shape).dimensions)
        })
      #expect(found == golden.shapes, "\(file.lastPathComponent)")
    }
    #expect(compared > 0)
  }
}

/// Settings and parameter shapes out of the header of a golden (safetensors) file.
private struct GoldenHeader {
  let settings: ImageDiffiT.Settings
  let shapes: [String: [Int]]

  private struct Entry: Decodable { let shape: [Int] }
  private struct Metadata: Decodable {
    struct Values: Decodable { let config: String }
    let metadata: Values
    enum CodingKeys: String, CodingKey { case metadata = "__metadata__" }
  }
  private struct Kind: Decodable { let kind: String }
  private struct Config: Decodable {
    let resolution: Int, channels: [Int], blocks: [Int], window: Int
    let headDim: Int, timeDim: Int, embedDim: Int, classes: Int, augmentDim: Int
  }

  /// Nil for the golden of another network.
  init?(_ file: URL) throws {
    let bytes = try Data(contentsOf: file)
    let length = bytes.prefix(8).enumerated().reduce(0) { $0 + Int($1.element) << (8 * $1.offset) }
    let header = bytes.subdata(in: 8..<8 + length)
    let decoder = JSONDecoder()
    let metadata = try decoder.decode(Metadata.self, from: header)
    decoder.keyDecodingStrategy = .convertFromSnakeCase
    let config = Data(metadata.metadata.config.utf8)
    guard try decoder.decode(Kind.self, from: config).kind == "image" else { return nil }
    let c = try decoder.decode(Config.self, from: config)
    var settings = ImageDiffiT.Settings()
    (settings.resolution, settings.channels, settings.blocks) = (c.resolution, c.channels, c.blocks)
    (settings.window, settings.headDim) = (c.window, c.headDim)
    (settings.timeDim, settings.embedDim) = (c.timeDim, c.embedDim)
    (settings.classes, settings.augmentLabels) = (c.classes, c.augmentDim)
    self.settings = settings

    let all = try JSONSerialization.jsonObject(with: header) as? [String: [String: Any]] ?? [:]
    var shapes: [String: [Int]] = [:]
    for (name, entry) in all where name.hasPrefix("param.") {
      shapes[String(name.dropFirst("param.".count))] = entry["shape"] as? [Int]
    }
    self.shapes = shapes
  }
}
