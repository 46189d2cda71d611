import Foundation
import SystemSupport

/// The checkpoints of a run: `RUN/checkpoints/images-000001024000/`.
///
/// A save goes like this; the caller puts barriers between the steps and carries the records to rank 0:
///
///     rank 0      beginWrite(images:)          a hidden directory, what earlier saves left behind removed
///     every rank  writeShard(...)              its range, made durable; returns its checksum
///     rank 0      commit(manifest)             manifest.json, COMPLETE, fsync, rename, fsync of the parent
///     rank 0      applyRetention(...)
///
/// Killed at any moment, it leaves the earlier checkpoints as they were; one that fails removes none.
package struct CheckpointStore: Sendable {
  /// A checkpoint's directory, good or bad.
  package struct Location: Equatable, Sendable {
    package let images: Int
    package let url: URL
  }

  package let directory: URL
  package var path: String { directory.path }

  /// - Parameter directory: `RUN/checkpoints`; made by the first save.
  package init(directory: URL) { self.directory = directory }

  /// `images-000001024000`
  package static func name(images: Int) -> String { "images-\(Format.zeroPadded(images, 12))" }

  /// The images of a directory's name; nil where it is no checkpoint's.
  private static func images(name: String) -> Int? {
    guard name.hasPrefix("images-"), let images = Int(name.dropFirst(7)),
      name == CheckpointStore.name(images: images)
    else { return nil }
    return images
  }

  /// What a hidden directory is there for; all are dealt with by `clearLeftovers`.
  enum Hidden: String, CaseIterable {
    /// A save that has not ended.
    case writing = "tmp"
    /// A checkpoint on its way out, while another takes its name.
    case replaced
    /// A checkpoint being removed.
    case removed
  }

  func visiblePath(_ images: Int) -> String { "\(path)/\(CheckpointStore.name(images: images))" }

  func hiddenPath(_ images: Int, _ kind: Hidden) -> String {
    "\(path)/.\(CheckpointStore.name(images: images)).\(kind.rawValue)"
  }

  /// Hidden directories of `kind`, as the images they are about.
  func hidden(_ kind: Hidden) throws -> [Int] {
    let suffix = ".\(kind.rawValue)"
    return (try FileSystem.names(in: path) ?? []).compactMap { name in
      guard name.hasPrefix("."), name.hasSuffix(suffix) else { return nil }
      return CheckpointStore.images(name: String(name.dropFirst().dropLast(suffix.count)))
    }
  }

  /// Every checkpoint directory, good or bad, oldest first.
  package func list() throws -> [Location] {
    let names = try FileSystem.names(in: path) ?? []
    var found = names.compactMap(CheckpointStore.images(name:)).map {
      Location(images: $0, url: URL(fileURLWithPath: visiblePath($0)))
    }
    // A replacement that was cut short between its two renames: the old one is still whole.
    for images in try hidden(.replaced) where !found.contains(where: { $0.images == images }) {
      found.append(
        Location(images: images, url: URL(fileURLWithPath: hiddenPath(images, .replaced))))
    }
    return found.sorted { $0.images < $1.images }
  }
}

extension CheckpointStore {
  /// A bad checkpoint that was passed over, and why.
  package struct PassedOver: Sendable {
    package let url: URL
    package let error: any Error

    /// Why, in one line, without the advice to use another checkpoint.
    package var reason: String { CheckpointError.finding(error) }
  }

  /// The newest checkpoint whose checksums are right, and the newer ones that were passed over; nil
  /// where the run has no checkpoint at all.
  ///
  /// Reads every byte of the checkpoint it returns.
  /// - Throws: `CheckpointError.noneGood` where there are checkpoints and none is good, so that a
  ///   damaged run never starts afresh unnoticed.
  package func newestGood() throws -> (
    checkpoint: CheckpointReader, passedOver: [PassedOver]
  )? {
    let locations = try list()
    if locations.isEmpty { return nil }
    var passedOver: [PassedOver] = []
    for location in locations.reversed() {
      do throws {
        return (try CheckpointReader(location.url, verifying: true), passedOver)
      } catch { passedOver.append(PassedOver(url: location.url, error: error)) }
    }
    throw CheckpointError.noneGood(directory: path, reasons: passedOver.map(\.reason))
  }
}
