import DiffiTModels
import Foundation
import SystemSupport

extension DiffusersVAE {
  /// The part of `config.json` that matters here.
  package struct Description: Sendable, Equatable {
    /// The network.
    package var settings: VAE.Settings
    /// What latents are multiplied by before a diffusion network sees them.
    package var scalingFactor: Double

    /// Takes both as they are.
    package init(settings: VAE.Settings, scalingFactor: Double = standardScale) {
      (self.settings, self.scalingFactor) = (settings, scalingFactor)
    }
  }

  /// What latents are multiplied by where nothing else is said, here and in diffusers: Stable
  /// Diffusion's first autoencoder.
  package static let standardScale = 0.18215

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
    // Limits as those of the same settings of our own networks.
    settings.channels = try fields.integers(
      "block_out_channels", default: [64], each: 1...16_384, count: 1...19)
    settings.layers = try fields.integer("layers_per_block", default: 1, in: 1...64)
    settings.groups = try fields.integer("norm_num_groups", default: 32, in: 1...16_384)
    settings.latentChannels = try fields.integer("latent_channels", default: 4, in: 1...1024)
    settings.imageChannels = try fields.integer("in_channels", default: 3, in: 1...1024)
    settings.resolution = try fields.integers(
      "sample_size", default: [32], each: 1...16_384, count: 1...2)[0]
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
      settings: settings, scalingFactor: try fields.number("scaling_factor", default: standardScale)
    )
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
    guard let bytes = try JSONFile.bytes(ifPresent: path) else {
      throw AutoencoderError.configurationMissing(path: path)
    }
    guard let values = (try? JSONSerialization.jsonObject(with: Data(bytes))) as? [String: Any]
    else {
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
      String("\($0)".split(whereSeparator: \.isNewline).joined(separator: " ").prefix(200))
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

  func integer(
    _ name: String, default usual: Int, in range: ClosedRange<Int>
  ) throws -> Int {
    guard let found = value(name) else { return usual }
    guard let number = found as? Int, range.contains(number) else {
      throw wrong(name, "a whole number from \(range.lowerBound) to \(range.upperBound)")
    }
    return number
  }

  /// One number is a list of one.
  func integers(
    _ name: String, default usual: [Int], each range: ClosedRange<Int>, count: ClosedRange<Int>
  ) throws -> [Int] {
    guard let found = value(name) else { return usual }
    let list = found as? [Int] ?? (found as? Int).map { [$0] } ?? []
    guard count.contains(list.count), list.allSatisfy(range.contains) else {
      throw wrong(
        name,
        "\(count.lowerBound) to \(count.upperBound) whole numbers from \(range.lowerBound) to"
          + " \(range.upperBound)")
    }
    return list
  }

  func number(_ name: String, default usual: Double) throws -> Double {
    guard let found = value(name) else { return usual }
    guard let number = found as? Double, number >= 1e-6, number <= 1e6 else {
      throw wrong(name, "a number above 0, from 1e-6 to 1e6")
    }
    return number
  }
}
