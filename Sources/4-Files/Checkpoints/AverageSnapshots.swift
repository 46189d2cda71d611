import FileFormats
import Foundation
import SystemSupport
import TensorCore

/// The snapshots of a run's power-function averages: `RUN/averages/images-000001024000.safetensors`,
/// with a flat vector per average, named as in checkpoints.
package struct AverageSnapshots: Sendable {
  /// A snapshot.
  package struct Location: Equatable, Sendable {
    /// Images that the run had seen.
    package let images: Int
    /// The file.
    package let url: URL
  }

  /// The directory of all snapshots.
  private let directory: URL
  private static let suffix = ".safetensors"

  /// The snapshots of the run in a directory.
  package init(run directory: URL) {
    self.directory = directory.appendingPathComponent("averages")
  }

  /// All snapshots, oldest first.
  package func list() throws -> [Location] {
    (try FileSystem.names(in: directory.path) ?? []).compactMap { name in
      guard name.hasPrefix("images-"), name.hasSuffix(Self.suffix),
        let images = Int(name.dropFirst(7).dropLast(Self.suffix.count)), images >= 0
      else { return nil }
      return Location(images: images, url: directory.appendingPathComponent(name))
    }.sorted { $0.images < $1.images }
  }

  /// Writes a snapshot; it is complete, or it is not there.
  ///
  /// - Parameter vectors: one tensor each, f32, all of the same length.
  package func write(images: Int, _ vectors: [StateVector]) throws {
    try FileSystem.makeDirectory(directory.path)
    let url = directory.appendingPathComponent(CheckpointStore.name(images: images) + Self.suffix)
    let writer = try SafetensorsWriter(
      url, vectors.map { .init($0.name, .float32, [$0.count]) })
    for vector in vectors {
      for piece in vector.pieces {
        try piece.withBytes { bytes in
          Result { () throws in try writer.write(UnsafeRawBufferPointer(bytes)) }
        }.get()
      }
    }
    try writer.finish()
  }

  /// Removes the snapshots after `images` images, which belong to steps that will be made again.
  package func removeNewer(than images: Int) throws {
    for location in try list() where location.images > images {
      try FileManager.default.removeItem(at: location.url)
    }
  }

  /// Reads a vector of a snapshot.
  ///
  /// - Parameter flat: f32; its length is that which the snapshot must have.
  package static func read(_ name: String, of location: Location, into flat: Tensor) throws {
    let file = try SafetensorsFile(location.url)
    let entry = try file.entry(name)
    guard entry.shape == [flat.count] else {
      throw CheckpointError.shardVector(
        path: location.url.path, vector: name, found: entry.shape, expected: [flat.count])
    }
    try flat.withFloats { floats in
      Result { () throws in try file.readFloats(name, 0..<flat.count, into: floats) }
    }.get()
  }
}
