import Checkpoints
import Configuration
import FileFormats
import Foundation
import SystemSupport

/// A safetensors file with the weights of one network, which stands for a run: an export of this
/// program, whose metadata hold the configuration, or weights of another program, whose network a
/// configuration file names.
package struct WeightsFile: Sendable {
  /// The file's path, as it was given.
  package let path: String
  /// The file's metadata: text by key.
  package let metadata: [String: String]

  /// Keys of the metadata of an export.
  package enum Key {
    /// The settings of the run as YAML, without those that say how a job ran.
    package static let configuration = "diffit.config"
    /// The number of images that the run had seen.
    package static let imagesSeen = "diffit.images_seen"
    /// Which weights of the run they are: `weights` or `ema.NAME`.
    package static let weights = "diffit.weights"
    /// What precedes the keys of a manifest's facts: `diffit.data.class_names`.
    static let facts = "diffit."
  }

  /// Opens a file and reads its header.
  package init(_ path: String) throws {
    self.path = path
    metadata = try SafetensorsFile(path: path).metadata
  }

  /// Whether a path is that of a safetensors file, by its name, and no folder.
  package static func isOne(_ path: String) -> Bool {
    path.hasSuffix(".safetensors") && !FileOutput.isFolder(path)
  }

  /// The configuration in the metadata, with changes; nil where there is none.
  package func configuration(
    overrides: [String] = []
  ) throws(ConfigurationError) -> Configuration? {
    guard let text = metadata[Key.configuration] else { return nil }
    return try Configuration(
      yaml: text, name: "\(path) (\(Key.configuration))", overrides: overrides)
  }

  /// The number of images that the run had seen; nil where the file does not tell.
  package var imagesSeen: Int? { metadata[Key.imagesSeen].flatMap { Int($0) } }

  /// Which weights they are: `weights` or `ema.NAME`.
  var weights: String { metadata[Key.weights] ?? VectorName.weights }

  /// The XXH3-128 checksum of the file.
  var digest: String { get throws { try Checksum.ofFile(path).digest } }

  /// The facts that the run's manifest held besides its settings, by key.
  var facts: [String: String] {
    let pairs = metadata.filter { $0.key.hasPrefix(Key.facts) }
      .map { (String($0.key.dropFirst(Key.facts.count)), $0.value) }
    return Dictionary(uniqueKeysWithValues: pairs).filter { !ManifestKey.isSetting($0.key) }
  }
}

extension CheckpointReader {
  /// The metadata of an export of one of the checkpoint's vectors.
  func exportMetadata(_ configuration: Configuration, vector: String) -> [String: String] {
    var metadata = [
      "format": "pt", WeightsFile.Key.configuration: configuration.exportedYAML,
      WeightsFile.Key.imagesSeen: "\(manifest.imagesSeen)", WeightsFile.Key.weights: vector,
    ]
    for (key, value) in manifest.configuration
    where !ManifestKey.isSetting(key) && key != ManifestKey.content {
      metadata[WeightsFile.Key.facts + key] = value
    }
    return metadata
  }
}
