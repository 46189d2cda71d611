import Foundation
import SystemSupport
import TensorCore

extension CheckpointStore {
  /// Removes old checkpoints. Call it after a commit.
  ///
  /// Only whole checkpoints (COMPLETE, manifest and sizes right) count or are removed: damaged ones
  /// neither push good ones out nor vanish before someone has looked at them.
  ///
  /// - Parameters:
  ///   - keep: how many of the newest stay; 0 keeps all.
  ///   - keepEvery: in images: the first checkpoint at or past each multiple stays forever; 0 for none.
  ///   - spared: images of checkpoints that stay whatever their age.
  /// - Returns: the directories removed, oldest first.
  @discardableResult
  package func applyRetention(
    keep: Int, keepEvery: Int, except spared: [Int] = []
  ) throws -> [URL] {
    invariant(keep >= 0 && keepEvery >= 0, "applyRetention: keep \(keep), every \(keepEvery)")
    guard keep > 0 else { return [] }
    var whole: [Location] = []
    for location in try list() {
      // What is wrong with the others is told when someone resumes or inspects.
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

  /// Removes every checkpoint past `images`, good or bad: the abandoned branch of a run that went back
  /// to an older checkpoint. Call it after the new branch's first commit.
  ///
  /// - Parameter kept: that first commit.
  /// - Returns: the directories removed, oldest first.
  @discardableResult
  package func removeNewer(
    than images: Int, except kept: Int? = nil
  ) throws -> [URL] {
    try remove(list().filter { $0.images > images && $0.images != kept })
  }

  private func remove(_ locations: [Location]) throws -> [URL] {
    // Hidden first: a removal that is cut short must not leave half a checkpoint in view.
    for location in locations {
      let hidden = hiddenPath(location.images, .removed)
      try FileSystem.remove(hidden)
      try FileSystem.rename(location.url.path, to: hidden)
      try FileSystem.remove(hidden)
    }
    return locations.map(\.url)
  }
}
