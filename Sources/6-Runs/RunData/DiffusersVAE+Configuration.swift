import DiffiTModels
import Foundation

extension DiffusersVAE {
  /// The part of `config.json` that matters here.
  package struct Description: Sendable, Equatable {
    /// The network.
    package var settings: VAE.Settings
    /// What latents are multiplied by before a diffusion network sees them.
    package var scalingFactor: Double

    /// Takes both as they are.
    package init(settings: VAE.Settings, scalingFactor: Double = 0.18215) {
      (self.settings, self.scalingFactor) = (settings, scalingFactor)
    }
  }

  /// The file of the settings.
  package static let configurationName = "config.json"

  /// Reads the settings of the network in a folder. What the file leaves out has diffusers'
  /// default.
  ///
  /// - Parameters:
  ///   - factor: the factor that the network has to have; nil: any.
  ///   - latentChannels: the latent channels that it has to have; nil: any.
  /// - Throws: `AutoencoderError`.
  package static func describe(
    _ folder: URL, factor: Int? = nil, latentChannels: Int? = nil
  ) throws -> Description {
    let fields = try Fields(folder.appendingPathComponent(configurationName))
    try fields.expect("_class_name", "AutoencoderKL", default: "AutoencoderKL")
    try fields.expect("act_fn", "silu", default: "silu")
    for name in ["use_quant_conv", "use_post_quant_conv", "mid_block_add_attention"] {
      try fields.expect(name, true, default: true)
    }
    // Networks with these scale their latents in another way.
    for name in ["shift_factor", "latents_mean", "latents_std"] { try fields.expectNone(name) }
    var settings = VAE.Settings()
    settings.channels = try fields.integers("block_out_channels", default: [64])
    settings.layers = try fields.integer("layers_per_block", default: 1)
    settings.groups = try fields.integer("norm_num_groups", default: 32)
    settings.latentChannels = try fields.integer("latent_channels", default: 4)
    settings.imageChannels = try fields.integer("in_channels", default: 3)
    settings.resolution = try fields.integers("sample_size", default: [32])[0]
    try fields.expect("out_channels", settings.imageChannels, default: 3)
    for (name, block) in [
      ("down_block_types", "DownEncoderBlock2D"), ("up_block_types", "UpDecoderBlock2D"),
    ] {
      try fields.expect(name, settings.channels.map { _ in block }, default: [block])
    }
    if let problem = settings.problem {
      throw AutoencoderError.setting(
        path: fields.path, name: "the network", found: problem.description,
        expected: "settings that fit")
    }
    if let factor, factor != settings.factor {
      throw AutoencoderError.factor(path: fields.path, found: settings.factor, expected: factor)
    }
    if let latentChannels, latentChannels != settings.latentChannels {
      throw AutoencoderError.latentChannels(
        path: fields.path, found: settings.latentChannels, expected: latentChannels)
    }
    return Description(
      settings: settings, scalingFactor: try fields.number("scaling_factor", default: 0.18215))
  }

  /// The text of `config.json`, which depends only on `description`.
  package static func configuration(_ description: Description) throws -> Data {
    let s = description.settings
    let fields: [String: Any] = [
      "_class_name": "AutoencoderKL", "act_fn": "silu", "block_out_channels": s.channels,
      "down_block_types": s.channels.map { _ in "DownEncoderBlock2D" },
      "up_block_types": s.channels.map { _ in "UpDecoderBlock2D" }, "in_channels": s.imageChannels,
      "out_channels": s.imageChannels, "latent_channels": s.latentChannels,
      "layers_per_block": s.layers, "norm_num_groups": s.groups, "sample_size": s.resolution,
      "scaling_factor": description.scalingFactor,
    ]
    do {
      var data = try JSONSerialization.data(
        withJSONObject: fields, options: [.prettyPrinted, .sortedKeys])
      data.append(10)
      return data
    } catch {
      throw AutoencoderError.configurationSyntax(path: configurationName, reason: "\(error)")
    }
  }
}

/// The fields of a JSON object, read with defaults.
private struct Fields {
  let path: String
  private let values: [String: Any]

  init(_ url: URL) throws {
    path = url.path
    guard let data = FileManager.default.contents(atPath: path) else {
      throw AutoencoderError.configurationMissing(path: path)
    }
    guard let values = (try? JSONSerialization.jsonObject(with: data)) as? [String: Any] else {
      throw AutoencoderError.configurationSyntax(path: path, reason: "not a JSON object")
    }
    self.values = values
  }

  /// Nil where it is missing or null.
  private func value(_ name: String) -> Any? {
    values[name].flatMap { $0 is NSNull ? nil : $0 }
  }

  private func wrong(_ name: String, _ expected: String) -> AutoencoderError {
    let found = value(name).map {
      "\($0)".split(whereSeparator: \.isNewline).joined(separator: " ")
    }
    return .setting(path: path, name: name, found: found ?? "null", expected: expected)
  }

  func expect<T: Equatable>(
    _ name: String, _ expected: T, default usual: T
  ) throws {
    guard let found = value(name) else {
      if usual == expected { return }
      throw wrong(name, "\(expected)")
    }
    guard found as? T == expected else { throw wrong(name, "\(expected)") }
  }

  func expectNone(_ name: String) throws {
    if value(name) != nil { throw wrong(name, "null") }
  }

  func integer(_ name: String, default usual: Int) throws -> Int {
    guard let found = value(name) else { return usual }
    guard let number = found as? Int else { throw wrong(name, "a whole number") }
    return number
  }

  /// One number is a list of one.
  func integers(_ name: String, default usual: [Int]) throws -> [Int] {
    guard let found = value(name) else { return usual }
    let list = found as? [Int] ?? (found as? Int).map { [$0] } ?? []
    guard !list.isEmpty else { throw wrong(name, "whole numbers") }
    return list
  }

  func number(_ name: String, default usual: Double) throws -> Double {
    guard let found = value(name) else { return usual }
    guard let number = found as? Double, number.isFinite, number > 0 else {
      throw wrong(name, "a number above 0")
    }
    return number
  }
}
