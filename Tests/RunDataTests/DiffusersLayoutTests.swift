import Autodiff
import DiffiTModels
import FileFormats
import FixtureSupport
import Foundation
import NumericsSupport
import RunData
import SystemSupport
import TensorCore
import Testing

@Suite struct DiffusersLayoutTests {
  private let folder = FileManager.default.temporaryDirectory
    .appendingPathComponent("vae-\(UUID().uuidString)")

  /// A copy of a golden's folder.
  private func copied(_ name: String) throws -> URL {
    try FileManager.default.copyItem(
      at: GoldenFile.folder.appendingPathComponent(name), to: folder)
    return folder
  }

  /// Copies the weights under other names or with other shapes; nil drops a tensor.
  private func rewrite(
    _ folder: URL, adding extra: [String] = [],
    _ change: (SafetensorsEntry) -> (name: String, shape: [Int])?
  ) throws {
    let url = folder.appendingPathComponent(DiffusersVAE.weightsName)
    let file = try SafetensorsFile(url)
    var tensors: [(SafetensorsWriter.Announcement, [Float])] = []
    for entry in file.entries {
      guard let (name, shape) = change(entry) else { continue }
      tensors.append(
        (
          .init(name, .float32, shape),
          Array(try file.floats(entry.name).prefix(shape.reduce(1, *)))
        ))
    }
    tensors += extra.map { (.init($0, .float32, [1]), [0]) }
    let writer = try SafetensorsWriter(url, tensors.map(\.0))
    for tensor in tensors { try writer.write(tensor.1) }
    try writer.finish()
  }

  private func edit(_ folder: URL, _ change: (inout [String: Any]) -> Void) throws {
    let url = folder.appendingPathComponent(DiffusersVAE.configurationName)
    var fields = try #require(
      JSONSerialization.jsonObject(with: Data(contentsOf: url)) as? [String: Any])
    change(&fields)
    try JSONSerialization.data(withJSONObject: fields).write(to: url)
  }

  private func network(_ folder: URL) throws -> VAE {
    let vae = VAE(try DiffusersVAE.describe(folder).settings)
    vae.parameters.allocate(on: ComputeContext(), gradients: false)
    return vae
  }

  @Test(arguments: ["f2", "f4"])
  func whatIsWrittenIsRead(_ name: String) throws {
    defer { try? FileManager.default.removeItem(at: folder) }
    let source = GoldenFile.folder.appendingPathComponent(name)
    let vae = try network(source)
    try DiffusersVAE.read(source, into: vae)
    try DiffusersVAE.write(vae, scalingFactor: 0.25, to: folder)
    let description = try DiffusersVAE.describe(folder)
    #expect(description.settings == vae.settings && description.scalingFactor == 0.25)
    let again = try network(folder)
    try DiffusersVAE.read(folder, into: again)
    #expect(again.parameters.weights.bits == vae.parameters.weights.bits)
    // Names of today, whatever was read.
    let file = try SafetensorsFile(folder.appendingPathComponent(DiffusersVAE.weightsName))
    #expect(Set(file.entries.map(\.name)) == Set(vae.parameters.parameters.map(\.name)))
  }

  @Test func settingsComeFromTheFile() throws {
    let two = try DiffusersVAE.describe(GoldenFile.folder.appendingPathComponent("f2"))
    #expect(
      two.settings.channels == [4, 8] && two.settings.groups == 2 && two.settings.layers == 2)
    #expect(two.settings.latentChannels == 4 && two.settings.resolution == 16)
    #expect(two.scalingFactor == 0.18215 && two.settings.factor == 2)
    let four = try DiffusersVAE.describe(GoldenFile.folder.appendingPathComponent("f4"))
    #expect(four.settings.factor == 4 && four.settings.latentChannels == 3)
    #expect(four.scalingFactor == 0.5)
  }

  @Test func theDigestIsThatOfTheWeights() throws {
    defer { try? FileManager.default.removeItem(at: folder) }
    let folder = try copied("f4")  // older names
    let vae = try network(folder)
    try DiffusersVAE.read(folder, into: vae)
    let digest = DiffusersVAE.digest(of: vae)
    #expect(digest.count == 32)
    try DiffusersVAE.write(vae, to: folder)  // names of today
    let again = try network(folder)
    try DiffusersVAE.read(folder, into: again)
    #expect(DiffusersVAE.digest(of: again) == digest)
    again.parameters.parameters[7].value.withFloats { $0[0] += 1 }
    #expect(DiffusersVAE.digest(of: again) != digest)
  }

  private func mismatch(_ folder: URL) throws -> (
    missing: [String], unexpected: [String], misshaped: [String]
  ) {
    let vae = try network(folder)
    let before = vae.parameters.weights.bits
    do {
      try DiffusersVAE.read(folder, into: vae)
    } catch AutoencoderError.weights(
      .modelMismatch(_, let missing, let unexpected, let misshaped))
    {
      #expect(vae.parameters.weights.bits == before, "nothing is changed")
      return (missing, unexpected, misshaped)
    }
    Issue.record("read without complaint")
    return ([], [], [])
  }

  @Test func tensorsThatDoNotFitAreNamed() throws {
    defer { try? FileManager.default.removeItem(at: folder) }
    let folder = try copied("f2")
    try rewrite(folder, adding: ["loss.logvar", "decoder.mid_block.attentions.0.query.bias"]) {
      switch $0.name {
      case "quant_conv.bias": nil
      case "encoder.conv_in.bias": ($0.name, [2])
      default: ($0.name, $0.shape)
      }
    }
    let found = try mismatch(folder)
    #expect(found.missing == ["quant_conv.bias"])
    #expect(found.unexpected == ["decoder.mid_block.attentions.0.query.bias", "loss.logvar"])
    #expect(found.misshaped == ["encoder.conv_in.bias [2] where [4] is expected"])
  }

  /// A 1x1 convolution is a matrix for the attention alone.
  @Test func otherLayersAreNoConvolutions() throws {
    defer { try? FileManager.default.removeItem(at: folder) }
    let folder = try copied("f2")
    try rewrite(folder) {
      let isOne = $0.name == "decoder.mid_block.attentions.0.to_q.weight"
      let isOther = $0.name == "quant_conv.weight"
      return ($0.name, isOne ? $0.shape + [1, 1] : isOther ? Array($0.shape.prefix(2)) : $0.shape)
    }
    #expect(
      try mismatch(folder).misshaped == ["quant_conv.weight [8, 8] where [8, 8, 1, 1] is expected"])
  }

  @Test(
    arguments: [
      ("act_fn", "relu", "silu"), ("_class_name", "AutoencoderTiny", "AutoencoderKL"),
      ("down_block_types", "[\"AttnDownEncoderBlock2D\"]", "DownEncoderBlock2D"),
      ("use_quant_conv", "false", "true"), ("shift_factor", "0.1", "null"),
      ("norm_num_groups", "3", "settings that fit"), ("layers_per_block", "1.5", "a whole number"),
      ("out_channels", "4", "3"), ("sample_size", "[]", "whole numbers"),
      ("scaling_factor", "-1", "above 0"),
    ])
  func settingsOfOtherNetworks(_ name: String, _ value: String, _ expected: String) throws {
    defer { try? FileManager.default.removeItem(at: folder) }
    let folder = try copied("f2")
    try edit(folder) {
      $0[name] =
        (try? JSONSerialization.jsonObject(with: Data(value.utf8), options: .fragmentsAllowed))
        ?? value
    }
    do {
      _ = try DiffusersVAE.describe(folder)
      Issue.record("\(name) \(value) was accepted")
    } catch let error as AutoencoderError {
      guard case .setting(_, let found, _, let wanted) = error else {
        Issue.record("\(error)")
        return
      }
      #expect((found == name || name == "norm_num_groups") && wanted.contains(expected))
      #expect(!error.description.contains("\n") && error.exitCode == 2)
    }
  }

  @Test func theFactorIsChecked() throws {
    let four = GoldenFile.folder.appendingPathComponent("f4")
    #expect(
      throws: AutoencoderError.factor(
        path: four.appendingPathComponent("config.json").path, found: 4, expected: 8)
    ) {
      try DiffusersVAE.describe(four, factor: 8)
    }
    #expect(
      throws: AutoencoderError.latentChannels(
        path: four.appendingPathComponent("config.json").path, found: 3, expected: 4)
    ) {
      try DiffusersVAE.describe(four, factor: 4, latentChannels: 4)
    }
    #expect(try DiffusersVAE.describe(four, factor: 4, latentChannels: 3).settings.factor == 4)
  }

  @Test func foldersWithoutNetworks() throws {
    let config = folder.appendingPathComponent("config.json")
    #expect(throws: AutoencoderError.configurationMissing(path: config.path)) {
      try DiffusersVAE.describe(folder)
    }
    defer { try? FileManager.default.removeItem(at: folder) }
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    try Data("[1]".utf8).write(to: config)
    #expect(
      throws: AutoencoderError.configurationSyntax(path: config.path, reason: "not a JSON object")
    ) {
      try DiffusersVAE.describe(folder)
    }
    var settings = VAE.Settings()
    (settings.resolution, settings.channels, settings.groups, settings.layers) = (16, [8], 4, 1)
    let vae = VAE(settings)
    vae.parameters.allocate(on: ComputeContext(), gradients: false)
    #expect(throws: AutoencoderError.weightsMissing(folder: folder.path, found: [])) {
      try DiffusersVAE.read(folder, into: vae)
    }
    #expect(throws: FileError.self) { try DiffusersVAE.write(vae, to: config) }
  }
}
