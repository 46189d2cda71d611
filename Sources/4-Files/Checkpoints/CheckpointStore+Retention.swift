import Foundation
import SystemSupport
import TensorCore

extension CheckpointStore {
  /// Removes old checkpoints. Call it after a commit.
  ///
  /// Only whole checkpoints (`COMPLETE`, manifest and sizes are right) are counted or removed.
  /// Damaged ones neither displace good ones nor disappear before someone has looked at them.
  ///
  /// - Parameters:
  ///   - keep: how many of the newest checkpoints stay; 0 keeps all.
  ///   - keepEvery: a number of images: the first checkpoint at or after each multiple of it stays
  ///     forever; 0 for none.
  ///   - spared: the image counts of checkpoints that stay whatever their age.
  /// - Returns: the removed directories, oldest first.
  @discardableResult
  package func applyRetention(
    keep: Int, keepEvery: Int, except spared: [Int] = []
  ) throws -> [URL] {
    invariant(keep >= 0 && keepEvery >= 0, "applyRetention: keep \(keep), every \(keepEvery)")
    guard keep > 0 else { return [] }
    var whole: [Location] = []
    for location in try list() {
      // Problems of the others are reported by a resume or an inspection.
      if (try? CheckpointReader(location.url, verifying: false)) != nil { whole.append(location) }
    }
    var kept = Set(whole.suffix(keep).map(\.images) + spared)
    if keepEvery > 0 {
      var lastPeriod = 0
      for location in whole where location.images / keepEvery > lastPeriod {
        lastPeriod = location.images / keepEvery
        kept.insert(location.images)
      }
    }
    return try remove(whole.filter { !kept.contains($0.images) })
  }

  /// Removes every checkpoint with more than `images` images, good or bad: the abandoned branch of
  /// a run that went back to an older checkpoint. Call it after the first commit of the new branch.
  ///
  /// - Parameters:
  ///   - images: the image count of the checkpoint that the run went back to.
  ///   - kept: the image count of the new branch's first commit.
  /// - Returns: the removed directories, oldest first.
  @discardableResult
  package func removeNewer(
    than images: Int, except kept: Int? = nil
  ) throws -> [URL] {
    try remove(list().filter { $0.images > images && $0.images != kept })
  }

  private func remove(_ locations: [Location]) throws -> [URL] {
    // Renamed first: an interrupted removal must not leave half a checkpoint under its name.
    for location in locations {
      let hidden = hiddenPath(location.images, .removed)
      try FileSystem.remove(hidden)
      try FileSystem.rename(location.url.path, to: hidden)
      try FileSystem.remove(hidden)
    }
    return locations.map(\.url)
  }
}
