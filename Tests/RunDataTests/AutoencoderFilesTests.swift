import DiffiTModels
import FileFormats
import FixtureSupport
import Foundation
import RunData
import SystemSupport
import TensorCore
import Testing

/// The files that an autoencoder's weights may be in.
@Suite struct AutoencoderFilesTests {
  private let scratch: TemporaryFolder
  private let folder: URL
  private let stem = "diffusion_pytorch_model"

  init() throws {
    scratch = try TemporaryFolder()
    folder = scratch.file("vae")
    try FileManager.default.copyItem(at: Repository.reference("vae/f2"), to: folder)
  }

  private var plain: URL { folder.appendingPathComponent("\(stem).safetensors") }

  private func open() throws -> Autoencoder {
    try Autoencoder.open(folder.path, on: ComputeContext())
  }

  /// Moves the weights into files of these names, tensor by tensor in turn.
  private func spread(
    over names: [String], type: SafetensorsDType = .float32,
    _ change: (String, inout [Float]) -> Void = { _, _ in }
  ) throws {
    let file = try SafetensorsFile(plain)
    for (index, name) in names.enumerated() {
      let entries = file.entries.enumerated().filter { $0.offset % names.count == index }
        .map(\.element)
      let writer = try SafetensorsWriter(
        folder.appendingPathComponent("new-\(name)"),
        entries.map { .init($0.name, type, $0.shape) })
      for entry in entries {
        var values = try file.floats(entry.name)
        change(entry.name, &values)
        if type == .float16 {
          try values.map { Float16($0) }.withUnsafeBytes { bytes in
            Result { () throws in try writer.write(bytes) }
          }.get()
        } else {
          try writer.write(values)
        }
      }
      try writer.finish()
    }
    try FileManager.default.removeItem(at: plain)
    for name in names {
      try FileManager.default.moveItem(
        at: folder.appendingPathComponent("new-\(name)"),
        to: folder.appendingPathComponent(name))
    }
  }

  @Test(arguments: ["fp16", "non_ema"]) func variants(_ variant: String) throws {
    let whole = try open()
    try spread(over: ["\(stem).\(variant).safetensors"], type: .float16)
    let half = try open()
    let pairs = zip(half.vae.parameters.weights.floats, whole.vae.parameters.weights.floats)
    #expect(pairs.allSatisfy { abs($0 - $1) <= abs($1) / 1024 + 1e-7 })
    #expect(half.digest != whole.digest)
  }

  @Test(arguments: ["", ".fp16"]) func severalFiles(_ variant: String) throws {
    let whole = try open()
    let names = (1...3).map { "\(stem)\(variant)-0000\($0)-of-00003.safetensors" }
    try spread(over: names)
    var map: [String: String] = [:]
    for name in names {
      for entry in try SafetensorsFile(folder.appendingPathComponent(name)).entries {
        map[entry.name] = name
      }
    }
    let index = folder.appendingPathComponent("\(stem).safetensors.index\(variant).json")
    try JSONSerialization.data(withJSONObject: ["weight_map": map]).write(to: index)
    #expect(try open().digest == whole.digest)

    try FileManager.default.removeItem(at: folder.appendingPathComponent(names[1]))
    let missing = #expect(throws: FileError.self) { try open() }
    #expect("\(try #require(missing))".contains(names[1]))
    map["quant_conv.bias"] = "../\(names[0])"
    try JSONSerialization.data(withJSONObject: ["weight_map": map]).write(to: index)
    let outside = #expect(throws: SafetensorsError.self) { try open() }
    #expect("\(try #require(outside))".contains("\"../\(names[0])\", expected a .safetensors"))
  }

  @Test func otherFormats() throws {
    try FileManager.default.moveItem(at: plain, to: folder.appendingPathComponent("\(stem).bin"))
    let error = #expect(throws: AutoencoderError.self) { try open() }
    let text = "\(try #require(error))"
    #expect(text.contains("launch/convert-weights.py \(folder.path)/\(stem).bin"), "\(text)")
    let file = try scratch.write(Data([0x80, 2, 0x8A, 10]), "vae.pt")
    let single = #expect(throws: FileError.self) {
      try Autoencoder.open(file, on: ComputeContext())
    }
    #expect("\(try #require(single))".contains("is a Python pickle"))
  }

  /// Of the encoder or the decoder, and of the variants of not finite.
  @Test(
    arguments: ["encoder.conv_in.weight", "decoder.conv_out.bias"],
    [Float.nan, .infinity, -.infinity])
  func weightsThatAreNotFinite(_ name: String, _ value: Float) throws {
    try spread(over: ["\(stem).safetensors.new"]) { tensor, values in
      if tensor == name { values[1] = value }
    }
    try FileManager.default.moveItem(
      at: folder.appendingPathComponent("\(stem).safetensors.new"), to: plain)
    let error = #expect(throws: AutoencoderError.self) { try open() }
    #expect(
      "\(try #require(error))".contains("tensor \(name) is not finite: element 1 is \(value)"))
  }

  /// Nothing of that size is allocated to find out.
  @Test(
    arguments: [
      ("latent_channels", "2147483648"), ("latent_channels", "9223372036854775807"),
      ("block_out_channels", "[1000000, 1000000]"), ("block_out_channels", "[]"),
      ("layers_per_block", "1000000000"), ("sample_size", "[16, 16, 16]"), ("sample_size", "-16"),
      ("norm_num_groups", "0"), ("scaling_factor", "1e300"),
    ])
  func settingsBeyondBounds(_ name: String, _ value: String) throws {
    let url = folder.appendingPathComponent("config.json")
    var fields = try #require(
      JSONSerialization.jsonObject(with: Data(contentsOf: url)) as? [String: Any])
    fields[name] = try JSONSerialization.jsonObject(
      with: Data(value.utf8), options: .fragmentsAllowed)
    try JSONSerialization.data(withJSONObject: fields).write(to: url)
    let error = #expect(throws: AutoencoderError.self) { try open() }
    let text = "\(try #require(error))"
    #expect(text.contains("\(name) is ") && text.contains(url.path), "\(text)")
  }

  /// Settings that fit each other, of a network that is larger than any memory.
  @Test func aNetworkThatTheWeightsAreNotOf() throws {
    let url = folder.appendingPathComponent("config.json")
    var fields = try #require(
      JSONSerialization.jsonObject(with: Data(contentsOf: url)) as? [String: Any])
    fields["block_out_channels"] = [16_384, 16_384]
    fields["layers_per_block"] = 64
    try JSONSerialization.data(withJSONObject: fields).write(to: url)
    let error = #expect(throws: AutoencoderError.self) { try open() }
    #expect("\(try #require(error))".contains("not the weights of this model"))
  }
}
