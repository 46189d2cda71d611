import SystemSupport

/// What one rank wrote: its ranges of every flat vector, one after the other, as one file.
///
/// Ranks send it to rank 0, which lists it in the manifest.
package struct ShardRecord: Codable, Equatable, Sendable {
  /// File name within the checkpoint.
  package let file: String
  package let rank: Int
  /// Elements of the flat vectors, in the order they have in the file; there may be none.
  package let ranges: [Range<Int>]
  /// Bytes of the file.
  package let size: Int
  /// XXH3-128 of the file, as `xxh128sum` prints it.
  package let checksum: String

  package init(file: String, rank: Int, ranges: [Range<Int>], size: Int, checksum: String) {
    (self.file, self.rank, self.ranges) = (file, rank, ranges)
    (self.size, self.checksum) = (size, checksum)
  }

  /// Elements of each vector in the file.
  package var count: Int { ranges.reduce(0) { $0 + $1.count } }

  /// `state-00000-of-00004.safetensors`
  package static func fileName(rank: Int, of worldSize: Int) -> String {
    func padded(_ number: Int) -> String { Format.zeroPadded(number, 5) }
    return "state-\(padded(rank))-of-\(padded(worldSize)).safetensors"
  }
}

/// Names of the flat vectors in a checkpoint.
package enum VectorName {
  /// Master weights.
  package static let weights = "weights"
  /// Adam's first moments.
  package static let firstMoment = "adam.m"
  /// Adam's second moments.
  package static let secondMoment = "adam.v"
  /// The exponential moving average of that name.
  package static func ema(_ name: String) -> String { "ema.\(name)" }
}

/// The contents of a checkpoint's `manifest.json`.
package struct Manifest: Codable, Equatable, Sendable {
  /// The version this build writes, and the only one it reads.
  package static let currentVersion = 2

  package let formatVersion: Int
  /// The run's position, and that of its data order and random streams.
  package let imagesSeen: Int
  /// Ranks that wrote it.
  package let worldSize: Int
  /// Elements of each flat vector.
  package let flatCount: Int
  /// Names of the flat vectors, in the order they have in the shards.
  package let vectors: [String]
  /// The resolved configuration, dotted keys to values.
  package let configuration: [String: String]
  package let configurationDigest: String
  /// The build that wrote it.
  package let build: String
  /// Small numbers that go on with the run, such as skipped steps. Exact for integers to 2^53.
  package let progress: [String: Double]
  /// What else goes on with the run, by name, base64 of little-endian f32; nil: nothing.
  package let state: [String: String]?
  package let tensors: [ParameterEntry]
  package let shards: [ShardRecord]

  package enum CodingKeys: String, CodingKey {
    case formatVersion = "format_version"
    case imagesSeen = "images_seen"
    case worldSize = "world_size"
    case flatCount = "flat_count"
    case vectors
    case configuration = "config"
    case configurationDigest = "config_digest"
    case build, progress, state, tensors, shards
  }

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

  /// The same with the shards that were written.
  package func with(shards: [ShardRecord]) -> Manifest {
    Manifest(
      imagesSeen: imagesSeen, vectors: vectors, configuration: configuration, build: build,
      progress: progress, state: state, table: table, shards: shards)
  }

  /// The parameters; sound, because a manifest that was read has been checked.
  package var table: ParameterTable { ParameterTable(tensors, flatCount: flatCount) }

  /// A checksum of a configuration that does not depend on the order of its keys.
  package static func digest(of configuration: [String: String]) -> String {
    let pairs = configuration.sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }
    return Checksum.digest(of: pairs.map { "\($0.key)\0\($0.value)\0" }.joined())
  }
}
