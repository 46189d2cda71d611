import SystemSupport

/// What one rank wrote: its ranges of every flat vector, one after the other, in one file.
///
/// Ranks send it to rank 0, which lists it in the manifest.
package struct ShardRecord: Codable, Equatable, Sendable {
  /// The name of the file within the checkpoint.
  package let file: String
  /// The rank that wrote it.
  package let rank: Int
  /// Element ranges of the flat vectors, in the order that they have in the file; possibly none.
  package let ranges: [Range<Int>]
  /// Size of the file in bytes.
  package let size: Int
  /// The XXH3-128 checksum of the file, as `xxh128sum` prints it.
  package let checksum: String

  /// A record of these values.
  package init(file: String, rank: Int, ranges: [Range<Int>], size: Int, checksum: String) {
    (self.file, self.rank, self.ranges) = (file, rank, ranges)
    (self.size, self.checksum) = (size, checksum)
  }

  /// Elements of each vector in the file.
  package var count: Int { ranges.reduce(0) { $0 + $1.count } }

  /// The name of a rank's file, such as `state-00000-of-00004.safetensors`.
  package static func fileName(rank: Int, of worldSize: Int) -> String {
    func padded(_ number: Int) -> String { Format.zeroPadded(number, 5) }
    return "state-\(padded(rank))-of-\(padded(worldSize)).safetensors"
  }
}

/// Names of the flat vectors in a checkpoint.
package enum VectorName {
  /// The weights, f32.
  package static let weights = "weights"
  /// Adam's first moments.
  package static let firstMoment = "adam.m"
  /// Adam's second moments.
  package static let secondMoment = "adam.v"
  /// The exponential moving average with this name.
  package static func ema(_ name: String) -> String { "ema.\(name)" }
}

/// The contents of a checkpoint's `manifest.json`.
///
/// ```swift
/// import Checkpoints
/// import Foundation
///
/// let url = URL(fileURLWithPath: "runs/demo/checkpoints/images-000001024000")
/// let manifest = try CheckpointReader(url, verifying: false).manifest
/// print(manifest.imagesSeen, manifest.worldSize, manifest.vectors)
/// ```
package struct Manifest: Codable, Equatable, Sendable {
  /// The version this build writes, and the only one it reads.
  package static let currentVersion = 2

  /// The largest count that a manifest may hold: more images than any run sees, and far from
  /// overflow in what is computed from it.
  package static let largestCount = 1_000_000_000_000_000

  /// The version of the format, `currentVersion`.
  package let formatVersion: Int
  /// The number of images that the run had seen, which also determines its position in the data
  /// order and in the random streams.
  package let imagesSeen: Int
  /// How many ranks wrote the checkpoint.
  package let worldSize: Int
  /// Elements of each flat vector.
  package let flatCount: Int
  /// The names of the flat vectors, in the order that they have in the shards.
  package let vectors: [String]
  /// The resolved configuration: dotted keys and their values.
  package let configuration: [String: String]
  /// The checksum of the configuration.
  package let configurationDigest: String
  /// The build that wrote the checkpoint.
  package let build: String
  /// Counts that continue with the run, such as that of skipped steps: 0 to `largestCount`, where
  /// whole numbers are exact.
  package let progress: [String: Double]
  /// Further state that continues with the run: names, and base64 of little-endian f32 values. Nil
  /// for none.
  package let state: [String: String]?
  /// The parameters in the flat vectors.
  package let tensors: [ParameterEntry]
  /// One record per rank, in the order of ranks.
  package let shards: [ShardRecord]

  /// The names of the members in the file.
  package enum CodingKeys: String, CodingKey {
    /// See the property of the same name; likewise all others.
    case formatVersion = "format_version"
    /// `imagesSeen`.
    case imagesSeen = "images_seen"
    /// `worldSize`.
    case worldSize = "world_size"
    /// `flatCount`.
    case flatCount = "flat_count"
    /// `vectors`.
    case vectors
    /// `configuration`.
    case configuration = "config"
    /// `configurationDigest`.
    case configurationDigest = "config_digest"
    /// The properties of these names.
    case build, progress, state, tensors, shards
  }

  /// A manifest of the current version.
  ///
  /// - Parameters:
  ///   - imagesSeen: the number of images that the run had seen.
  ///   - vectors: the names of the flat vectors.
  ///   - configuration: the resolved configuration.
  ///   - build: the build that writes the checkpoint.
  ///   - progress: small numbers that continue with the run.
  ///   - state: further state that continues with the run.
  ///   - table: the parameters.
  ///   - shards: one record per rank, in any order.
  package init(
    imagesSeen: Int, vectors: [String], configuration: [String: String], build: String,
    progress: [String: Double], state: [String: String]? = nil, table: ParameterTable,
    shards: [ShardRecord]
  ) {
    formatVersion = Manifest.currentVersion
    self.imagesSeen = imagesSeen
    worldSize = shards.count
    flatCount = table.flatCount
    self.vectors = vectors
    self.configuration = configuration
    configurationDigest = Manifest.digest(of: configuration)
    self.build = build
    self.progress = progress
    self.state = state
    tensors = table.entries
    self.shards = shards.sorted { $0.rank < $1.rank }
  }

  /// The same manifest with other shards, namely those that were written.
  package func with(shards: [ShardRecord]) -> Manifest {
    Manifest(
      imagesSeen: imagesSeen, vectors: vectors, configuration: configuration, build: build,
      progress: progress, state: state, table: table, shards: shards)
  }

  /// The table of parameters. It is consistent, because a manifest is checked when it is read.
  package var table: ParameterTable { ParameterTable(tensors, flatCount: flatCount) }

  /// A checksum of a configuration, independent of the order of its keys.
  package static func digest(of configuration: [String: String]) -> String {
    let pairs = configuration.sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }
    return Checksum.digest(of: pairs.map { "\($0.key)\0\($0.value)\0" }.joined())
  }
}
