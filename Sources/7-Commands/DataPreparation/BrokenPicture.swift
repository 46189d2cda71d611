import CommandSupport
import Datasets
import FileFormats
import Foundation

/// A picture that cannot be decoded.
struct BrokenPicture: Codable, Equatable, Sendable {
  /// Its place in the source.
  let index: Int
  let name: String
  let reason: String

  /// Nil where an error is not of one picture alone.
  init?(_ error: any Error, index: Int, of images: any ImageCollection) {
    let found: String? =
      switch error {
      case let error as ImageError: error.brokenImage
      case let error as ArchiveError: error.brokenEntry
      default: nil
      }
    guard let reason = found else { return nil }
    (self.index, name, self.reason) = (index, images.name(of: index), reason)
  }

  var line: String { "broken: \(name): \(reason)" }
}

extension RunLog {
  /// The most lines about broken pictures; the JSON has all.
  private static let brokenLines = 50

  func list(_ broken: [BrokenPicture]) {
    for picture in broken.prefix(RunLog.brokenLines) { info(picture.line) }
    if broken.count > RunLog.brokenLines {
      info("broken: \(broken.count - RunLog.brokenLines) more, which --json lists")
    }
  }
}
