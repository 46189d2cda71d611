import Foundation
import SystemSupport

/// The checkpoints of a run: `RUN/checkpoints/images-000001024000/`.
///
/// A save has these steps. The caller puts barriers between them and sends the records to rank 0:
///
///     rank 0      beginWrite(images:)    creates a hidden directory, removes what earlier saves
///     left
///     every rank  writeShard(...)        writes its ranges durably, returns their checksum
///     rank 0      commit(manifest)       manifest.json, COMPLETE, fsync, rename, fsync of the
///     parent
///     rank 0      applyRetention(...)    removes old checkpoints
///
/// If the program is killed at any moment, the earlier checkpoints stay as they were. A save that
/// fails removes none.
///
/// ```swift
/// import Checkpoints
/// import Foundation
///
/// let store = CheckpointStore(directory: URL(fileURLWithPath: "runs/demo/checkpoints"))
/// if let (checkpoint, passedOver) = try store.newestGood() {
///   print("resume at \(checkpoint.manifest.imagesSeen) images, \(passedOver.count) passed over")
/// }
/// ```
package struct CheckpointStore: Sendable {
  /// The directory of a checkpoint, good or bad.
  package struct Location: Equatable, Sendable {
    /// The number of images that the run had seen.
    package let images: Int
    /// The directory.
    package let url: URL
  }

  /// The directory of all checkpoints, `RUN/checkpoints`.
  package let directory: URL
  /// The path of that directory.
  package var path: String { directory.path }

  /// The checkpoints in `RUN/checkpoints`, which the first save creates.
  package init(directory: URL) { self.directory = directory }

  /// The name of a checkpoint's directory, such as `images-000001024000`.
  package static func name(images: Int) -> String { "images-\(Format.zeroPadded(images, 12))" }

  /// The number of images in a directory's name; nil if it is not a checkpoint's name.
  private static func images(name: String) -> Int? {
    guard name.hasPrefix("images-"), let images = Int(name.dropFirst(7)),
      name == CheckpointStore.name(images: images)
    else { return nil }
    return images
  }

  /// Why a directory is hidden; `clearLeftovers` handles each kind.
  enum Hidden: String, CaseIterable {
    /// A save that has not ended yet.
    case writing = "tmp"
    /// A checkpoint that is being replaced by another one of the same name.
    case replaced
    /// A checkpoint that is being removed.
    case removed
  }

  func visiblePath(_ images: Int) -> String { "\(path)/\(CheckpointStore.name(images: images))" }

  func hiddenPath(_ images: Int, _ kind: Hidden) -> String {
    "\(path)/.\(CheckpointStore.name(images: images)).\(kind.rawValue)"
  }

  /// The image counts of the hidden directories of one kind.
  func hidden(_ kind: Hidden) throws -> [Int] {
    let suffix = ".\(kind.rawValue)"
    return (try FileSystem.names(in: path) ?? []).compactMap { name in
      guard name.hasPrefix("."), name.hasSuffix(suffix) else { return nil }
      return CheckpointStore.images(name: String(name.dropFirst().dropLast(suffix.count)))
    }
  }

  /// All checkpoint directories, good or bad, oldest first.
  package func list() throws -> [Location] {
    let names = try FileSystem.names(in: path) ?? []
    var found = names.compactMap(CheckpointStore.images(name:)).map {
      Location(images: $0, url: URL(fileURLWithPath: visiblePath($0)))
    }
    // A replacement that was interrupted between its two renames: the old checkpoint is still
    // whole.
    for images in try hidden(.replaced) where !found.contains(where: { $0.images == images }) {
      found.append(
        Location(images: images, url: URL(fileURLWithPath: hiddenPath(images, .replaced))))
    }
    return found.sorted { $0.images < $1.images }
  }
}

extension CheckpointStore {
  /// A bad checkpoint that was skipped, and why.
  package struct PassedOver: Sendable {
    /// Its directory.
    package let url: URL
    /// Why it cannot be used.
    package let error: any Error

    /// The reason in one line, without the advice to use another checkpoint.
    package var reason: String { CheckpointError.finding(error) }
  }

  /// The newest checkpoint whose checksums are right, and the newer ones that were skipped; nil if
  /// the run has no checkpoint at all. It reads every byte of the checkpoint it returns.
  ///
  /// - Throws: `CheckpointError.noneGood` if there are checkpoints but none is good, so that a
  ///   damaged run never starts from scratch unnoticed.
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
