import Collectives
import Foundation
import SystemSupport

/// A folder in which a job's files gather; a job that was killed goes on from what is there. A file
/// is whole where it exists: it was written under another name that ends in `.tmp`, and renamed.
package protocol ResumableFolder {
  var path: String { get }
}

extension ResumableFolder {
  /// Keeps other jobs out of the folder as long as the result lives, and removes what a killed one
  /// had half written.
  package func claim() throws -> RunLock {
    try FileOutput.makeFolder(path)
    let lock = try RunLock(directory: URL(fileURLWithPath: path))
    let files = FileManager.default
    for name in try files.subpathsOfDirectory(atPath: path) where name.hasSuffix(".tmp") {
      try files.removeItem(atPath: "\(path)/\(name)")
    }
    return lock
  }

  /// Makes sure that what is there was made as `record` says, and keeps the record where there was
  /// none.
  ///
  /// - Parameter others: names of the job's own beside the files.
  /// - Throws: where the folder holds what was made otherwise, or nobody knows how.
  package func adopt<Record: WorkRecord>(
    _ record: Record, at recordPath: String, besides others: [String] = []
  ) throws {
    if FileManager.default.fileExists(atPath: recordPath) {
      if let difference = record.difference(from: try Record(readingFile: recordPath)) {
        throw ResumableFolderError.madeOtherwise(folder: path, difference: difference)
      }
    } else {
      let names = try FileManager.default.contentsOfDirectory(atPath: path)
      if names.contains(where: { !$0.hasPrefix(".") && !others.contains($0) }) {
        throw ResumableFolderError.unknownOrigin(folder: path)
      }
      try record.write(to: recordPath)
    }
  }

  /// Gives the folder up. Nothing of the lock stays: folders of the same images are the same.
  package func release(_ lock: RunLock) throws {
    try FileManager.default.removeItem(atPath: "\(path)/\(RunLock.fileName)")
    lock.release()
  }
}

/// What the files of a work folder have in common, kept beside them.
package protocol WorkRecord: Codable {
  /// What files depend on, for people, by key.
  var texts: [String: String] { get }
  /// Why no job can have written these values: key, found, expected; nil where one can have.
  var problem: String? { get }
}

extension WorkRecord {
  /// Every record that decodes is possible, unless its type knows better.
  package var problem: String? { nil }

  /// The first key that differs from `other`, as `steps was 36, is 18`; nil where none does.
  package func difference(from other: Self) -> String? {
    let (now, before) = (texts, other.texts)
    guard let key = now.keys.sorted().first(where: { now[$0] != before[$0] }) else { return nil }
    return "\(key) was \(before[key] ?? "none"), is \(now[key] ?? "none")"
  }

  /// Writes the record as JSON, durably.
  package func write(to path: String) throws { try writeJSON(self, to: path) }

  /// Reads a record that `write` has written.
  package init(readingFile path: String) throws {
    guard let bytes = try JSONFile.bytes(ifPresent: path) else {
      throw FileError.notFound(path: path)
    }
    do {
      self = try JSONDecoder().decode(Self.self, from: Data(bytes))
    } catch {
      throw ResumableFolderError.brokenRecord(path: path, reason: DecodingError.oneLine(of: error))
    }
    if let problem { throw ResumableFolderError.brokenRecord(path: path, reason: problem) }
  }
}

extension Communicator {
  /// The parts of a job that are not there yet, as the first rank finds them. Collective.
  ///
  /// - Parameter prepare: makes the folder ready, only on the first rank, and tells of each part
  ///   whether it is there.
  package func missing(_ prepare: () throws -> [Bool]) throws -> [Int] {
    let isDone = try agree { () -> [UInt8] in
      rank == 0 ? try prepare().map { $0 ? 1 : 0 } : []
    }
    let flags = try broadcast(isDone)
    return flags.indices.filter { flags[$0] == 0 }
  }

  /// What to call the progress of this rank's share of some work.
  package func title(_ work: String) -> String { size > 1 ? "\(work) on rank 0" : work }
}
