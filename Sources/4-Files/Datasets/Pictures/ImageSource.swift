/// Whatever holds pictures, with classes where it has them.
package struct ImageSource: Sendable {
  package let path: String
  /// `folder`, `tar`, `packed`, `cifar10`, or `images`, which have no classes.
  package let kind: String
  package let images: any ImageCollection
  /// Empty where nothing is labelled.
  package let classNames: [String]
  private let content: Content

  private enum Content {
    case pictures(IndexedImages)
    case dataset(any ImageDataset)
    case unlabelled
  }

  /// Opens what lies at `path`, told by its content: CIFAR-10's training split, class folders, tar shards, a
  /// packed set, or anything that `ImageCollections` opens.
  package init(path: String) throws {
    self.path = path
    if let pictures = try IndexedImages(anyLayout: path) {
      (kind, images, classNames) = (pictures.layout.rawValue, pictures, pictures.classNames)
      content = .pictures(pictures)
      return
    }
    let collection = try ImageCollections.open(path)
    images = collection
    if let dataset = (collection as? DatasetImages)?.dataset {
      (kind, classNames, content) = ("cifar10", dataset.classNames, .dataset(dataset))
    } else {
      (kind, classNames, content) = ("images", [], .unlabelled)
    }
  }

  package var count: Int { images.count }
  package var isLabelled: Bool { !classNames.isEmpty }

  /// The class of picture `index`; nil where nothing is labelled.
  package func label(of index: Int) throws -> Int? {
    switch content {
    case .pictures(let pictures): pictures.label(of: index)
    case .dataset(let dataset): try dataset.image(index).label
    case .unlabelled: nil
    }
  }

  /// A fingerprint of what is listed, which reads no picture of a folder: names, labels, and what archives tell
  /// about their entries.
  ///
  /// - Parameter algorithm: that of the digest with which it is compared.
  package func listDigest(by algorithm: DigestAlgorithm = .xxh3) throws -> String {
    switch content {
    case .pictures(let pictures): return pictures.listDigest(by: algorithm)
    case .dataset(let dataset): return try dataset.contentDigest(by: algorithm)
    case .unlabelled:
      var digest = ContentDigest(algorithm)
      for index in 0..<count { digest.add(images.name(of: index)) }
      return digest.text
    }
  }

  /// A fingerprint of names, labels and contents; nil where none is made.
  package func contentDigest() throws -> String? {
    switch content {
    case .pictures(let pictures): try pictures.contentDigest()
    case .dataset(let dataset): dataset.contentDigest
    case .unlabelled: nil
    }
  }
}
