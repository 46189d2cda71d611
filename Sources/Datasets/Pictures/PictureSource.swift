/// Whatever holds pictures, with classes where it has them.
public struct PictureSource: Sendable {
  public let path: String
  /// `folder`, `tar`, `packed`, `cifar10`, or `images`, which have no classes.
  public let kind: String
  public let images: any ImageCollection
  /// Empty where nothing is labelled.
  public let classNames: [String]
  private let content: Content

  private enum Content {
    case pictures(LabelledPictures)
    case dataset(any ImageDataset)
    case unlabelled
  }

  /// Opens what lies at `path`, told by its content: CIFAR-10's training split, class folders, tar shards, a
  /// packed set, or anything that `ImageCollections` opens.
  public init(path: String) throws(DatasetError) {
    self.path = path
    if let pictures = try LabelledPictures(anyLayout: path) {
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

  public var count: Int { images.count }
  public var isLabelled: Bool { !classNames.isEmpty }

  /// The class of picture `index`; nil where nothing is labelled.
  public func label(of index: Int) throws(DatasetError) -> Int? {
    switch content {
    case .pictures(let pictures): pictures.label(of: index)
    case .dataset(let dataset): try dataset.image(index).label
    case .unlabelled: nil
    }
  }

  /// A fingerprint of what is listed, which reads no picture of a folder: names, labels, and what archives tell
  /// about their entries.
  public var listDigest: String {
    switch content {
    case .pictures(let pictures): return pictures.listDigest
    case .dataset(let dataset): return dataset.contentDigest
    case .unlabelled:
      var digest = ContentDigest()
      for index in 0..<count { digest.add(images.name(of: index)) }
      return digest.text
    }
  }

  /// A fingerprint of names, labels and contents; nil where none is made.
  public func contentDigest() throws(DatasetError) -> String? {
    switch content {
    case .pictures(let pictures): try pictures.contentDigest()
    case .dataset(let dataset): dataset.contentDigest
    case .unlabelled: nil
    }
  }
}

extension DatasetError {
  /// What is wrong with one picture that others need not suffer from; nil for all else.
  public var brokenPicture: String? {
    switch self {
    case .brokenImage(_, let reason), .brokenZip(_, let reason): reason
    case .unknownImageFormat: "neither a JPEG nor a PNG by its first bytes"
    case .imageTooLarge(_, let width, let height, let limit):
      "\(width) x \(height) pixels, more than \(limit) in all"
    default: nil
    }
  }
}
