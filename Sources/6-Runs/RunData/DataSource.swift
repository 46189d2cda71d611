import Collectives
import Configuration
import Datasets
import FileFormats
import Images
import ModelLoading
import TensorCore

extension Configuration {
  /// Opens the data set that the run trains on, on every rank, and compares it with the network.
  /// Collective.
  package func examples(over communicator: any Communicator) throws -> any TrainingDataset {
    guard data.kind != .latents else {
      return try communicator.agree { try latents(data.path) }
    }
    return ImageSamples(
      try dataset(over: communicator), augmentation: augmentation, flips: data.flip)
  }

  /// Opens the images that `data` names on every rank and compares them with the network. The first
  /// rank of each node unpacks an archive for all ranks of the node. Collective.
  ///
  /// - Parameter setting: what errors call the path where nothing is there.
  package func dataset(
    over communicator: any Communicator, setting: String = "data.path"
  ) throws -> any ImageDataset {
    let own = try communicator.agree {
      communicator.localRank == 0 ? try stagedFiles(setting) : nil
    }
    // A node is known by its name. Where names repeat, an address of another node leads nowhere.
    let hosts = try communicator.hosts()
    let addresses = try communicator.gather(own?.address ?? [])
    return try withExtendedLifetime(own) {
      try communicator.agree {
        let near = zip(hosts, addresses).filter { $0.0 == communicator.host && !$0.1.isEmpty }
        let staged = own ?? near.lazy.compactMap { StagedFiles(at: $0.1) }.first
        return try dataset(staged: staged, setting)
      }
    }
  }

  /// Unpacks what one rank per node unpacks for the others; nil where there is nothing to unpack.
  private func stagedFiles(_ setting: String) throws -> StagedFiles? {
    guard data.kind == .cifar10 else { return nil }
    return try DataSourceError.naming(setting) { try CIFAR10Dataset.stage(path: data.path) }
  }

  /// - Parameter staged: files that are unpacked already; nil: they are unpacked here.
  private func dataset(staged: StagedFiles?, _ setting: String) throws -> any ImageDataset {
    let dataset: any ImageDataset =
      switch data.kind {
      case .shapes: ShapesDataset(resolution: model.resolution)
      case .cifar10:
        try DataSourceError.naming(setting) {
          try CIFAR10Dataset(path: data.path, staged: staged)
        }
      case .folder, .tar, .packed:
        try DataSourceError.naming(setting) { try images(data.path) }
      case .latents: throw LatentsError.noReference(setting: "--reference")
      }
    let found = dataset.classNames.count
    guard model.classes == 0 || model.classes == found else {
      throw DataSourceError.classesDiffer(configured: model.classes, found: found, path: data.path)
    }
    return dataset
  }

  /// Opens latents and compares them with the network.
  ///
  /// - Parameter scale: what they are multiplied by; nil: as `data.latent_scale` says; 0: the scale
  ///   in their description.
  package func latents(_ path: String, scale: Double? = nil) throws -> LatentDataset {
    let dataset = try LatentDataset(path: path, scale: scale ?? data.latentScale)
    let expected = [model.latentChannels, model.resolution, model.resolution]
    guard dataset.description.shape == expected else {
      throw LatentsError.otherShape(
        path: path, found: dataset.description.shape, expected: expected)
    }
    let found = dataset.classNames.count
    guard model.classes == 0 || model.classes == found else {
      throw DataSourceError.classesDiffer(configured: model.classes, found: found, path: path)
    }
    return dataset
  }

  /// The autoencoder that `data.vae` names, where the run decodes images with it; nil elsewhere.
  /// Collective.
  package func decoder(
    _ latents: LatentMetadata?, over communicator: any Communicator, on context: ComputeContext
  ) throws -> LatentDecoder? {
    let isUsed = sample.every > 0 && sample.count > 0 || metrics.every > 0
    guard let latents, isUsed, !data.vae.isEmpty else { return nil }
    return try communicator.agree {
      try LatentDecoder(
        data.vae, for: latents, channels: model.latentChannels, setting: "data.vae", on: context)
    }
  }

  /// Opens images in files, at the network's resolution.
  package func images(_ path: String) throws -> any ImageDataset {
    guard let layout = IndexedImages.Layout(rawValue: data.kind.rawValue) else {
      preconditionFailure("images: data.kind \(data.kind)")
    }
    return try IndexedImageDataset(path: path, layout: layout, resolution: model.resolution)
  }

  /// The augmentations of the training; nil where `data.augment` is 0.
  package var augmentation: AugmentationPipe? {
    data.augment > 0 ? AugmentationPipe(probability: data.augment) : nil
  }
}
