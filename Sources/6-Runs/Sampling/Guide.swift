import CommandSupport
import Configuration
import ModelLoading
import TensorCore

/// A weaker network of the same task, trained less or smaller, whose prediction another network is
/// moved away from (autoguidance): D = D_guide + w (D_main - D_guide).
///
/// Source: Karras et al., arXiv:2406.02507.
package struct Guide {
  /// The network with its weights.
  package let model: DenoisingModel
  /// w; 1: the guide changes nothing.
  package let weight: Double
  /// What says where its weights are from, for the record of samples.
  package let record: Record

  /// Where a guide's weights are from.
  package struct Record: Equatable, Sendable {
    let checkpoint: String
    let digest: String
    let weights: String
  }

  /// The guide that options or the run's settings name; nil: none, or one of weight 1.
  ///
  /// - Parameter main: what it guides.
  /// - Throws: `SamplingError.unfitGuide` for a network of another task, and `OptionError` for options
  ///   of a guide without one.
  package init?(
    _ options: SamplingOptions, of main: LoadedModel, on context: ComputeContext
  ) throws {
    let settings = main.configuration.sample
    let path = options.guide ?? settings.guide
    guard !path.isEmpty else {
      let expected = "--guide beside it, or sample.guide in the run's settings"
      try require(
        options.guideWeight == nil, "--guide-weight", options.guideWeight ?? 0, expected: expected)
      try require(
        options.guideEMA == nil, "--guide-ema", options.guideEMA ?? "", expected: expected)
      return nil
    }
    weight = options.guideWeight ?? settings.guideWeight
    let (loaded, _) = try LoadedModel.open(path, ema: options.guideEMA)
    try loaded.checkTask(of: main, path: path)
    guard weight != 1 else { return nil }
    model = try loaded.model(on: context)
    record = Record(
      checkpoint: loaded.path.split(separator: "/").last.map(String.init) ?? loaded.path,
      digest: try loaded.digest, weights: loaded.vector)
  }
}

extension LoadedModel {
  /// Throws where this network does not do what `main` does.
  fileprivate func checkTask(of main: LoadedModel, path: String) throws {
    guard configuration.model.kind != .vae else {
      throw ModelError.samplesNothing(checkpoint: self.path)
    }
    func require(_ what: String, _ value: (LoadedModel) -> String) throws {
      let (found, expected) = (value(self), value(main))
      if found != expected {
        throw SamplingError.unfitGuide(guide: path, what: what, found: found, expected: expected)
      }
    }
    try require("what it samples") {
      let shape = $0.configuration.networkSettings.imageShape(batch: 1).dimensions.dropFirst()
      return shape.map(String.init).joined(separator: " x ")
        + ($0.latents == nil ? " pixels" : " latents")
    }
    try require("model.classes") { "\($0.configuration.model.classes)" }
    try require("the autoencoder of its latents") { $0.latents?.vae ?? "none" }
    try require("data.latent_scale") { $0.latents.map { "\($0.scale)" } ?? "none" }
  }
}
