import FileFormats
import Foundation
import SystemSupport
import TensorCore

/// A complete checkpoint, opened for reading. Any number of ranks can read it, whatever number
/// wrote it.
///
/// ```swift
/// import Checkpoints
/// import Foundation
/// import TensorCore
///
/// /// The weights of a checkpoint, flat.
/// func weights(of directory: URL, on context: ComputeContext) throws -> Tensor {
///   let checkpoint = try CheckpointReader(directory, verifying: true)
///   let flat = Tensor([checkpoint.manifest.flatCount], on: context)
///   try checkpoint.read(VectorName.weights, 0..<flat.count, into: flat)
///   return flat
/// }
/// ```
package struct CheckpointReader: Sendable {
  static let completeName = "COMPLETE"
  static let manifestName = "manifest.json"

  /// The checkpoint's directory.
  package let url: URL
  /// The contents of its `manifest.json`.
  package let manifest: Manifest
  /// The XXH3-128 checksum of the manifest's file, which is a fingerprint of everything that the
  /// manifest lists.
  package let digest: String
  /// The path of the directory.
  package var path: String { url.path }

  /// Opens a checkpoint: `COMPLETE` must exist, the manifest's checksum must be right, and every
  /// shard must have its full size.
  ///
  /// - Parameters:
  ///   - url: the checkpoint's directory.
  ///   - verifying: whether to read every shard too and compare its checksum.
  /// - Throws: `CheckpointError`, one case for each way in which a checkpoint can be bad.
  package init(_ url: URL, verifying: Bool) throws {
    self.url = url
    (manifest, digest) = try CheckpointReader.manifest(in: url.path)
    for shard in manifest.shards { try CheckpointReader.checkSize(of: shard, in: url.path) }
    if verifying { try verify() }
  }

  private static func manifest(
    in path: String
  ) throws -> (Manifest, digest: String) {
    guard try FileSystem.names(in: path) != nil else {
      throw FileError.system(operation: "open the checkpoint", path: path, code: ENOENT)
    }
    let completePath = "\(path)/\(completeName)"
    guard try FileSystem.exists(completePath) else { throw CheckpointError.incomplete(path: path) }
    let complete = try JSONFile.contents(completePath)
    let manifestPath = "\(path)/\(manifestName)"
    guard try FileSystem.exists(manifestPath) else {
      throw CheckpointError.manifestMissing(path: manifestPath)
    }
    let bytes = try JSONFile.contents(manifestPath)
    let found = bytes.withUnsafeBytes { Checksum.digest(of: $0) }
    let expected = String(decoding: complete.prefix { $0 != UInt8(ascii: " ") }, as: UTF8.self)
    guard found == expected else {
      throw CheckpointError.manifestChecksum(
        path: manifestPath, found: found, expected: String(expected.prefix(32)))
    }
    return (try Manifest.decode(bytes, path: manifestPath), found)
  }

  static func checkSize(
    of shard: ShardRecord, in directory: String
  ) throws {
    let path = "\(directory)/\(shard.file)"
    guard let size = try FileSystem.size(of: path) else {
      throw CheckpointError.shardMissing(path: path)
    }
    guard size == shard.size else {
      throw CheckpointError.shardSize(path: path, found: size, expected: shard.size)
    }
  }

  /// Compares the checksum of every shard, and its contents with the manifest.
  package func verify() throws {
    for index in manifest.shards.indices { try verify(shard: index) }
  }

  /// Compares the checksum of one shard, and its contents with the manifest. Ranks can divide the
  /// shards among themselves.
  package func verify(shard index: Int) throws {
    let shard = manifest.shards[index]
    let found = try Checksum.ofFile(path(of: shard)).digest
    guard found == shard.checksum else {
      throw CheckpointError.shardChecksum(
        path: path(of: shard), found: found, expected: shard.checksum)
    }
    try CheckpointReader.checkVectors(manifest.vectors, of: shard, in: path)
  }

  /// Reads elements `range` of a flat vector, from all shards that contain a part of it.
  ///
  /// - Parameters:
  ///   - vector: its name, as in `VectorName`.
  ///   - range: which elements.
  ///   - values: room for `range.count` elements.
  package func read(
    _ vector: String, _ range: Range<Int>, into values: Floats
  ) throws {
    invariant(
      range.lowerBound >= 0 && range.upperBound <= manifest.flatCount,
      "CheckpointReader.read: \(range) of \(manifest.flatCount) elements")
    guard manifest.vectors.contains(vector) else {
      throw CheckpointError.noSuchVector(path: path, vector: vector, present: manifest.vectors)
    }
    for shard in manifest.shards where shard.ranges.contains(where: range.overlaps) {
      let file = try SafetensorsFile(path: path(of: shard))
      try CheckpointReader.check(vector, of: shard, in: file)
      var start = 0  // of the shard's next range in the file
      for stored in shard.ranges {
        let part = stored.clamped(to: range)
        let offset = start - stored.lowerBound
        start += stored.count
        if part.isEmpty { continue }
        try file.readFloats(
          vector, part.lowerBound + offset..<part.upperBound + offset,
          into: values + (part.lowerBound - range.lowerBound))
      }
    }
  }

  /// Reads elements `range` of a flat vector into an f32 tensor of that many elements, in place.
  package func read(
    _ vector: String, _ range: Range<Int>, into values: Tensor
  ) throws {
    invariant(
      values.count == range.count,
      "CheckpointReader.read: \(range) of \(vector) into \(values.shape)")
    try values.withFloats { floats in
      Result { () throws in try read(vector, range, into: floats) }
    }.get()
  }

  private func path(of shard: ShardRecord) -> String { "\(path)/\(shard.file)" }

  /// Checks that a shard contains these vectors, each as long as the shard's ranges together.
  static func checkVectors(
    _ vectors: [String], of shard: ShardRecord, in directory: String
  ) throws {
    let file = try SafetensorsFile(path: "\(directory)/\(shard.file)")
    for vector in vectors { try check(vector, of: shard, in: file) }
  }

  private static func check(
    _ vector: String, of shard: ShardRecord, in file: SafetensorsFile
  ) throws {
    let entry = try file.entry(vector)
    guard entry.dtype == .float32 else {
      throw SafetensorsError.tensorType(
        path: file.path, tensor: vector, found: entry.dtype, expected: "F32")
    }
    guard entry.shape == [shard.count] else {
      throw CheckpointError.shardVector(
        path: file.path, vector: vector, found: entry.shape, expected: [shard.count])
    }
  }
}
