import Checkpoints
import Foundation

/// A folder in which a job's files gather; a job that was killed goes on from what is there. A file is
/// whole where it exists: it was written under another name that ends in `.tmp`, and renamed.
protocol WorkFolder {
  var path: String { get }
}

extension WorkFolder {
  /// Keeps other jobs out of the folder as long as the result lives, and removes what a killed one had half
  /// written.
  func claim() throws -> RunLock {
    try FileOutput.makeFolder(path)
    let lock = try RunLock(directory: URL(fileURLWithPath: path))
    let files = FileManager.default
    for name in try files.subpathsOfDirectory(atPath: path) where name.hasSuffix(".tmp") {
      try files.removeItem(atPath: "\(path)/\(name)")
    }
    return lock
  }

  /// Gives the folder up. Nothing of the lock stays: folders of the same images are the same.
  func release(_ lock: RunLock) throws {
    try FileManager.default.removeItem(atPath: "\(path)/\(RunLock.fileName)")
    lock.release()
  }
}

/// What the files of a work folder have in common, kept beside them.
protocol WorkRecord: Codable {
  /// What files depend on, for people, by key.
  var texts: [String: String] { get }
}

extension WorkRecord {
  /// The first key that differs from `other`, as `steps was 36, is 18`; nil where none does.
  func difference(from other: Self) -> String? {
    let (now, before) = (texts, other.texts)
    guard let key = now.keys.sorted().first(where: { now[$0] != before[$0] }) else { return nil }
    return "\(key) was \(before[key] ?? "none"), is \(now[key] ?? "none")"
  }

  func write(to path: String) throws { try writeJSON(self, to: path) }

  init(readingFile path: String) throws {
    guard let bytes = FileManager.default.contents(atPath: path),
      let record = try? JSONDecoder().decode(Self.self, from: bytes)
    else { throw TrainingError.brokenRecord(path: path) }
    self = record
  }
}
