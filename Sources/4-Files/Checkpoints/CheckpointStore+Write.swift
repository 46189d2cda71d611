import FileFormats
import Foundation
import SystemSupport
import TensorCore

/// The values of a named flat vector in the ranges of the rank that saves it.
package struct StateVector: Sendable {
  /// The vector's name, as in `VectorName`.
  package let name: String
  /// f32 tensors, whose elements one after the other are those of the rank's ranges.
  package let pieces: [Tensor]

  /// A vector with these values.
  package init(_ name: String, _ pieces: [Tensor]) { (self.name, self.pieces) = (name, pieces) }

  /// Elements of all pieces.
  package var count: Int { pieces.reduce(0) { $0 + $1.count } }
}

extension CheckpointStore {
  /// Creates the hidden directory that the shards of this save go to. Only rank 0 calls it, before
  /// the others write.
  package func beginWrite(images: Int) throws {
    invariant(images >= 0, "CheckpointStore.beginWrite: \(images) images")
    try FileSystem.makeDirectory(path)
    try FileSystem.sync(directory: FileSystem.parent(of: path))
    try clearLeftovers()
    try FileSystem.makeDirectory(hiddenPath(images, .writing))
  }

  /// Removes what interrupted saves and removals left behind. The run's owner calls it as soon as
  /// it holds the `RunLock`; `beginWrite` calls it too.
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

  /// Gives up a failed save: removes its hidden directory, so that it takes no disk space.
  package func abandonWrite(images: Int) throws {
    try FileSystem.remove(hiddenPath(images, .writing))
  }

  /// Writes this rank's ranges of every vector, durably. It may be called on any thread; the
  /// tensors must not change until it returns.
  ///
  /// - Parameters:
  ///   - images: the image count of the checkpoint.
  ///   - rank: this rank.
  ///   - worldSize: how many ranks save.
  ///   - ranges: element ranges of the flat vectors, possibly none. The ranges of all ranks
  ///     together cover the vectors.
  ///   - vectors: the same names in the same order on every rank.
  /// - Returns: what the manifest says about the shard.
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

  /// Gives the checkpoint its visible name, durably. Only rank 0 calls it, after every rank has
  /// written. A checkpoint with the same number of images is replaced.
  ///
  /// - Returns: the checkpoint's directory.
  @discardableResult
  package func commit(_ manifest: Manifest) throws -> URL {
    let images = manifest.imagesSeen
    let work = hiddenPath(images, .writing)
    let manifestPath = "\(work)/\(CheckpointReader.manifestName)"
    try manifest.check(path: manifestPath)
    // This also checks that this rank sees what the others wrote, on other hosts too.
    for shard in manifest.shards {
      try CheckpointReader.checkSize(of: shard, in: work)
      try CheckpointReader.checkVectors(manifest.vectors, of: shard, in: work)
    }
    let bytes = try manifest.encoded(path: manifestPath)
    try AtomicFile.write(bytes, to: manifestPath, durable: true)
    let checksum = bytes.withUnsafeBytes { Checksum.digest(of: $0) }
    // A line that `xxh128sum --check COMPLETE` understands. COMPLETE contains the manifest's
    // checksum, and the manifest contains those of the shards.
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
