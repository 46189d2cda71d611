import Configuration
import Datasets
import ModelLoading

extension Configuration {
  /// The number of shapes that runs train on; the shapes that follow them are held out.
  private static let trainedShapes = 50_000
  private static let heldOutShapes = 10_000

  /// Opens the held-out data set: samples of the same kind as the training data, which no run
  /// trains on.
  ///
  /// - Parameters:
  ///   - path: used instead of `data.validation`.
  ///   - latents: the facts about the training's latents, whose scale and autoencoder the others
  ///     must have.
  package func heldOutExamples(
    path given: String? = nil, latents: LatentMetadata?
  ) throws -> any TrainingDataset {
    guard data.kind == .latents else { return ImageSamples(try heldOutDataset(path: given)) }
    let path = given ?? data.validation
    guard !path.isEmpty else { throw DataSourceError.noHeldOutData }
    let found = try self.latents(path, scale: latents?.scale)
    if let latents, found.description.vae != latents.vae {
      throw LatentsError.otherAutoencoder(
        what: path, found: found.description.vae, expected: latents.vae)
    }
    return found
  }

  /// Opens the held-out images, which no run trains on.
  ///
  /// - Parameter path: used instead of `data.validation`.
  package func heldOutDataset(path given: String? = nil) throws -> any ImageDataset {
    let path = given ?? data.validation
    let dataset: any ImageDataset
    switch data.kind {
    case .shapes:
      guard path.isEmpty else { throw DataSourceError.heldOutOfShapes(path: path) }
      let all = Self.trainedShapes + Self.heldOutShapes
      dataset = DatasetPart(
        of: ShapesDataset(resolution: model.resolution, count: all), Self.trainedShapes..<all)
    case .cifar10:
      let isFile = path.hasSuffix(".bin")
      dataset =
        isFile
        ? try CIFAR10Dataset(file: path)
        : try CIFAR10Dataset(path: path.isEmpty ? data.path : path, split: .test)
    case .latents: throw LatentsError.noReference(setting: "held-out images")
    case .folder, .tar, .packed:
      guard !path.isEmpty else { throw DataSourceError.noHeldOutData }
      dataset = try images(path)
    }
    let found = dataset.classNames.count
    guard model.classes == 0 || model.classes == found else {
      throw DataSourceError.heldOutClassesDiffer(
        configured: model.classes, found: found, path: path)
    }
    return dataset
  }
}
