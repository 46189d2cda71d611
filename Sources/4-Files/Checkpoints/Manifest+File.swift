import Foundation
import SystemSupport

extension Manifest {
  private static let nonFinite = ("Infinity", "-Infinity", "NaN")

  /// The bytes of the file, with sorted keys.
  package func encoded(path: String) throws -> [UInt8] {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .prettyPrinted, .withoutEscapingSlashes]
    let (positive, negative, nan) = Manifest.nonFinite
    encoder.nonConformingFloatEncodingStrategy = .convertToString(
      positiveInfinity: positive, negativeInfinity: negative, nan: nan)
    do {
      return Array(try encoder.encode(self)) + [UInt8(ascii: "\n")]
    } catch {
      throw CheckpointError.manifestSyntax(path: path, reason: DecodingError.oneLine(of: error))
    }
  }

  /// Reads a manifest and checks that its parts fit together.
  ///
  /// - Parameters:
  ///   - bytes: the contents of the file.
  ///   - path: the path that errors name.
  package static func decode(_ bytes: [UInt8], path: String) throws -> Manifest {
    struct Version: Decodable {
      let version: Int
      enum CodingKeys: String, CodingKey { case version = "format_version" }
    }
    let decoder = JSONDecoder()
    let (positive, negative, nan) = nonFinite
    decoder.nonConformingFloatDecodingStrategy = .convertFromString(
      positiveInfinity: positive, negativeInfinity: negative, nan: nan)
    let version: Int
    do {
      version = try decoder.decode(Version.self, from: Data(bytes)).version
    } catch {
      throw CheckpointError.manifestSyntax(path: path, reason: DecodingError.oneLine(of: error))
    }
    // The version comes first, because other versions may have other members.
    guard version == currentVersion else {
      throw CheckpointError.manifestVersion(path: path, found: version, supported: currentVersion)
    }
    let manifest: Manifest
    do {
      manifest = try decoder.decode(Manifest.self, from: Data(bytes))
    } catch {
      throw CheckpointError.manifestSyntax(path: path, reason: DecodingError.oneLine(of: error))
    }
    try manifest.check(path: path)
    return manifest
  }

  /// Checks that counts, table and shards fit together.
  package func check(path: String) throws {
    let largest = Manifest.largestCount
    for (name, count) in [("images_seen", imagesSeen), ("flat_count", flatCount)]
    where !(0...largest).contains(count) {
      throw CheckpointError.manifestCount(
        path: path, name: name, found: "\(count)", largest: largest)
    }
    for (name, count) in progress.sorted(by: { $0.key < $1.key })
    where !(count >= 0 && count <= Double(largest)) {
      throw CheckpointError.manifestCount(
        path: path, name: "progress.\(name)", found: "\(count)", largest: largest)
    }
    let digest = Manifest.digest(of: configuration)
    guard configurationDigest == digest else {
      throw CheckpointError.configurationDigest(
        path: path, found: digest, expected: configurationDigest)
    }
    if let fault = ParameterTable.fault(tensors, flatCount: flatCount) {
      throw CheckpointError.manifestTable(path: path, fault: fault)
    }
    let ranks = Array(shards.indices)
    guard !shards.isEmpty, worldSize == shards.count, shards.map(\.rank) == ranks,
      shards.map(\.file) == ranks.map({ ShardRecord.fileName(rank: $0, of: worldSize) })
    else {
      throw CheckpointError.shardNames(
        path: path, found: "\(shards.map(\.file))",
        expected: "one of each rank, as "
          + ShardRecord.fileName(rank: 0, of: max(worldSize, 1)))
    }
    // A rank may have several ranges (pieces of gradient buckets), in any order, or none.
    var end = 0
    for range in shards.flatMap(\.ranges).filter({ !$0.isEmpty })
      .sorted(by: { $0.lowerBound < $1.lowerBound })
    {
      guard range.lowerBound == end else {
        throw CheckpointError.shardTiling(path: path, found: range, expected: end)
      }
      end = range.upperBound
    }
    guard end == flatCount else {
      throw CheckpointError.shardTiling(path: path, found: end..<end, expected: flatCount)
    }
  }
}
