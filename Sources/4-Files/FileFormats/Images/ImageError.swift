import Images

/// Why an image cannot be decoded or used. Each description is one line that says what is wrong,
/// where, what was found, what was expected and how to repair it.
package enum ImageError: Error, Equatable, Sendable {
  /// A file's first bytes are neither those of a JPEG nor of a PNG; `found` says what it is, such as
  /// `a WebP`, where that is known.
  case unknownImageFormat(path: String, found: String? = nil)
  /// A JPEG or PNG cannot be decoded.
  case brokenImage(path: String, reason: String)
  /// An image is larger than this program is willing to decode.
  case imageTooLarge(path: String, width: Int, height: Int, limit: Int)
  /// Images that must have one size have several.
  case mixedSizes(
    path: String, first: String, firstSize: ImageSize, second: String, secondSize: ImageSize)
}

extension ImageError: CustomStringConvertible {
  /// The error as one line.
  package var description: String {
    switch self {
    case .unknownImageFormat(let path, let found):
      "\(path) is neither a JPEG nor a PNG by its first bytes\(Self.but(found)); convert or remove it"
    case .brokenImage(let path, let reason):
      "broken image \(path): \(reason); replace or remove it"
    case .imageTooLarge(let path, let width, let height, let limit):
      "image \(path) has \(width) x \(height) pixels, expected at most \(limit) in all; shrink it"
    case .mixedSizes(let path, let first, let firstSize, let second, let secondSize):
      "images of several sizes in \(path): \(first) is \(firstSize), \(second) is \(secondSize)"
        + "; bring them to one size, or let evaluate and data stats resize each on its own with"
        + " --mixed-sizes"
    }
  }

  /// What is wrong, where it concerns only one image and others can still be used; nil for all
  /// else.
  package var brokenImage: String? {
    switch self {
    case .brokenImage(_, let reason): reason
    case .unknownImageFormat(_, let found):
      "neither a JPEG nor a PNG by its first bytes\(Self.but(found))"
    case .imageTooLarge(_, let width, let height, let limit):
      "\(width) x \(height) pixels, more than \(limit) in all"
    case .mixedSizes: nil
    }
  }

  private static func but(_ found: String?) -> String { found.map { ", but \($0)" } ?? "" }
}
