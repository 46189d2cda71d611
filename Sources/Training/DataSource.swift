import Datasets

extension Configuration {
  /// Opens the data set that `data` names and compares it with the network.
  func dataset() throws -> any ImageDataset {
    let dataset: any ImageDataset
    switch data.kind {
    case .shapes: dataset = ShapesDataset(resolution: model.resolution)
    case .cifar10: dataset = try CIFAR10Dataset(path: data.path)
    case .folder: dataset = try ImageFolderDataset(path: data.path, resolution: model.resolution)
    case .packed: fatalError("data.kind packed passed validation")
    }
    let found = dataset.classNames.count
    guard model.classes == 0 || model.classes == found else {
      throw TrainingError.classesDiffer(configured: model.classes, found: found, path: data.path)
    }
    return dataset
  }

  /// Nil where `data.augment` is 0.
  var augmentation: AugmentationPipe? {
    data.augment > 0 ? AugmentationPipe(probability: data.augment) : nil
  }
}
