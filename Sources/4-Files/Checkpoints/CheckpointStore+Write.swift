import FileFormats
import Foundation
import SystemSupport
import TensorCore

/// A named vector's values over the ranges of the rank that saves it.
package struct StateVector: Sendable {
  package let name: String
  /// f32; one after the other, as many as the ranges have.
  package let pieces: [Tensor]

  package init(_ name: String, _ pieces: [Tensor]) { (self.name, self.pieces) = (name, pieces) }

  package var count: Int { pieces.reduce(0) { $0 + $1.count } }
}

extension CheckpointStore {
  /// Makes the hidden directory that the shards of this save go to. Rank 0 only, before the others
  /// write.
  package func beginWrite(images: Int) throws {
    invariant(images >= 0, "CheckpointStore.beginWrite: \(images) images")
    try FileSystem.makeDirectory(path)
    try FileSystem.sync(directory: FileSystem.parent(of: path))
    try clearLeftovers()
    try FileSystem.makeDirectory(hiddenPath(images, .writing))
  }

  /// Removes what saves and removals that were cut short left behind. The run's owner calls it, once it
  /// holds the `RunLock`; `beginWrite` does too.
  package func clearLeftovers() throws {
    for images in try hidden(.replaced) {
      if try FileSystem.exists(visiblePath(images)) {
        try FileSystem.remove(hiddenPath(images, .replaced))
      } else {
        try FileSystem.rename(hiddenPath(images, .replaced), to: visiblePath(images))
      }
    }
    for kind in [Hidden.writing, .removed] {
      for images in try hidden(kind) { try FileSystem.remove(hiddenPath(images, kind)) }
    }
  }

  /// Gives up a save that failed: removes its hidden directory, so that it does not hold disk space.
  package func abandonWrite(images: Int) throws {
    try FileSystem.remove(hiddenPath(images, .writing))
  }

  /// Writes this rank's ranges of every vector, and makes it durable. Any thread may call it; the
  /// tensors must not change until it returns.
  ///
  /// - Parameters:
  ///   - ranges: elements of the flat vectors; none at all is fine. Ranks' ranges together cover the
  ///     vectors.
  ///   - vectors: the same names in the same order on every rank.
  package func writeShard(
    images: Int, rank: Int, of worldSize: Int, ranges: [Range<Int>], vectors: [StateVector]
  ) throws -> ShardRecord {
    let name = ShardRecord.fileName(rank: rank, of: worldSize)
    let count = ranges.reduce(0) { $0 + $1.count }
    let writer = try SafetensorsWriter(
      URL(fileURLWithPath: "\(hiddenPath(images, .writing))/\(name)"),
      vectors.map { SafetensorsWriter.Announcement($0.name, .float32, [count]) })
    for vector in vectors {
      invariant(
        vector.count == count && vector.pieces.allSatisfy { $0.dtype == .float32 },
        "CheckpointStore.writeShard: \(vector.name) has \(vector.count) elements for \(ranges)")
      for piece in vector.pieces {
        try piece.withBytes { bytes in
          Result { () throws in try writer.write(UnsafeRawBufferPointer(bytes)) }
        }.get()
      }
    }
    let (size, checksum) = try writer.finish()
    return ShardRecord(file: name, rank: rank, ranges: ranges, size: size, checksum: checksum)
  }

  /// Makes the checkpoint visible under its name, durably. Rank 0 only, when every rank has written.
  ///
  /// A checkpoint of the same number of images is replaced. Returns the checkpoint's directory.
  @discardableResult
  package func commit(_ manifest: Manifest) throws -> URL {
    let images = manifest.imagesSeen
    let work = hiddenPath(images, .writing)
    let manifestPath = "\(work)/\(CheckpointReader.manifestName)"
    try manifest.check(path: manifestPath)
    // Also tells whether this rank sees what the others wrote, which it may not on another host.
    for shard in manifest.shards {
      try CheckpointReader.checkSize(of: shard, in: work)
      try CheckpointReader.checkVectors(manifest.vectors, of: shard, in: work)
    }
    let bytes = try manifest.encoded(path: manifestPath)
    try AtomicFile.write(bytes, to: manifestPath, durable: true)
    let checksum = bytes.withUnsafeBytes { Checksum.digest(of: $0) }
    // A line that `xxh128sum --check COMPLETE` understands: COMPLETE vouches for the manifest, the
    // manifest for the shards.
    try AtomicFile.write(
      Array("\(checksum)  \(CheckpointReader.manifestName)\n".utf8),
      to: "\(work)/\(CheckpointReader.completeName)", durable: true)

    let final = visiblePath(images)
    let replacing = try FileSystem.exists(final)
    if replacing { try FileSystem.rename(final, to: hiddenPath(images, .replaced)) }
    do throws {
      try FileSystem.rename(work, to: final)
    } catch {
      if replacing { try FileSystem.rename(hiddenPath(images, .replaced), to: final) }
      throw error
    }
    try FileSystem.sync(directory: path)
    if replacing { try FileSystem.remove(hiddenPath(images, .replaced)) }
    return URL(fileURLWithPath: final)
  }
}
