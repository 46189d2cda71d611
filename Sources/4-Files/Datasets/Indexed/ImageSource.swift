/// Images of any kind on disk, with their classes where they have some.
package struct ImageSource: Sendable {
  /// Where the images are.
  package let path: String
  /// `folder`, `tar`, `packed`, `cifar10`, or `images`, which have no classes.
  package let kind: String
  /// The images as they are stored.
  package let images: any ImageCollection
  /// What is beside the images and is not used.
  package var leftOut: LeftOut { images.leftOut }
  /// Empty where nothing is labelled.
  package let classNames: [String]
  private let content: Content

  private enum Content {
    case indexed(IndexedImages)
    case dataset(any ImageDataset)
    case labels([Int])
    case unlabelled
  }

  /// Opens what is at `path`. The content tells what it is: CIFAR-10's training split, class
  /// folders, tar shards, a packed set, or anything that `ImageCollections` opens.
  package init(path: String) throws {
    self.path = path
    if let indexed = try IndexedImages(anyLayout: path) {
      (kind, images, classNames) = (indexed.layout.rawValue, indexed, indexed.classNames)
      content = .indexed(indexed)
      return
    }
    let collection = try ImageCollections.open(path)
    images = collection
    if let dataset = (collection as? DatasetImages)?.dataset {
      (kind, classNames, content) = ("cifar10", dataset.classNames, .dataset(dataset))
    } else if let labels = try (collection as? ArrayImages)?.labels() {
      kind = "images"
      classNames = (0...(labels.max() ?? 0)).map { "\($0)" }
      content = .labels(labels)
    } else {
      (kind, classNames, content) = ("images", [], .unlabelled)
    }
  }

  /// Number of images.
  package var count: Int { images.count }
  /// Whether images have classes.
  package var isLabelled: Bool { !classNames.isEmpty }

  /// The class of image `index`; nil where nothing is labelled.
  package func label(of index: Int) throws -> Int? {
    switch content {
    case .indexed(let images): images.label(of: index)
    case .dataset(let dataset): try dataset.image(index).label
    case .labels(let labels): labels[index]
    case .unlabelled: nil
    }
  }

  /// A fingerprint of names, labels, and what archives say of their entries. It reads no image of a
  /// folder.
  ///
  /// - Parameter algorithm: that of the digest with which it is compared.
  package func listDigest(by algorithm: DigestAlgorithm = .xxh3) throws -> String {
    switch content {
    case .indexed(let images): return images.listDigest(by: algorithm)
    case .dataset(let dataset): return try dataset.contentDigest(by: algorithm)
    case .labels, .unlabelled:
      var digest = ContentDigest(algorithm)
      for index in 0..<count { digest.add(images.name(of: index)) }
      if case .labels(let labels) = content, algorithm != .old {
        for label in labels { digest.add(label + 1) }
      }
      return digest.text
    }
  }

  /// A fingerprint of names, labels and contents; nil for images without classes, of which none is
  /// made.
  package func contentDigest() throws -> String? {
    switch content {
    case .indexed(let images): try images.contentDigest()
    case .dataset(let dataset): dataset.contentDigest
    case .labels, .unlabelled: nil
    }
  }
}
