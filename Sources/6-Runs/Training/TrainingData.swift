import Collectives
import Configuration
import Datasets
import Evaluation
import ModelLoading
import RunData

/// What a run trains on, opened and compared on all ranks.
struct TrainingData {
  /// The samples of the training.
  let samples: any TrainingDataset
  /// Nil where the run does not train on latents.
  let latents: LatentMetadata?
  /// What the manifest says of the data besides the configuration, by key.
  let facts: [String: String]

  /// Opens what `data` names, and throws where the ranks do not find the same content. Collective.
  init(_ configuration: Configuration, over communicator: any Communicator) throws {
    samples = try configuration.examples(over: communicator)
    latents = (samples as? LatentDataset).map(LatentMetadata.init)
    var facts = [ManifestKey.content: samples.contentDigest].merging(latents?.entries ?? [:]) { $1 }
    if configuration.model.classes > 0 {
      facts[ManifestKey.classNames] = ManifestKey.text(ofClassNames: samples.classNames)
    }
    self.facts = facts
    try communicator.requireEqual(Array(samples.contentDigest.utf8), of: "the data sets")
  }

  /// The images that an autoencoder's previews start from: held-out ones where there are any, else
  /// those of the training. Nil where a task's previews need none.
  func previewImages(_ configuration: Configuration) -> (any ImageDataset)? {
    guard configuration.model.kind == .vae else { return nil }
    return (try? configuration.heldOutDataset()) ?? (samples as? ImageSamples)?.dataset
  }

  /// What metrics compare a run's samples with: what `metrics.reference` names, or the images of
  /// the training.
  func reference(_ configuration: Configuration) throws -> ReferenceSource {
    let path = configuration.metrics.reference
    guard path.isEmpty else { return try ReferenceSource(path) }
    guard let images = samples as? ImageSamples else {
      throw LatentsError.noReference(setting: "metrics.reference")
    }
    return ReferenceSource(images.dataset, path: configuration.data.summary)
  }
}
