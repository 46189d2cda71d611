import CommandSupport
import Datasets
import FileFormats
import Foundation
import SystemSupport

/// An image that cannot be decoded.
struct BrokenImage: Codable, Equatable, Sendable {
  /// Its index in the source.
  let index: Int
  let name: String
  let reason: String

  /// Nil where an error does not concern only one image.
  init?(_ error: any Error, index: Int, of images: any ImageCollection) {
    let found: String? =
      switch error {
      case let error as ImageError: error.brokenImage
      case let error as ArchiveError: error.brokenEntry
      default: nil
      }
    guard let reason = found else { return nil }
    (self.index, name) = (index, FileName.visible(images.name(of: index)))
    self.reason = reason
  }

  var line: String { "broken: \(name): \(reason)" }
}

extension RunLog {
  /// The most lines that are logged about broken images; the JSON lists all.
  private static let brokenLines = 50

  func list(_ broken: [BrokenImage]) {
    for image in broken.prefix(RunLog.brokenLines) { info(image.line) }
    if broken.count > RunLog.brokenLines {
      info("broken: \(broken.count - RunLog.brokenLines) more, which --json lists")
    }
  }
}
