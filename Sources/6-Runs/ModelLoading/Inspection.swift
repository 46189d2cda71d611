import Checkpoints
import CommandSupport
import FileFormats
import Foundation
import SystemSupport

/// `diffit inspect`: what a checkpoint, a run or a safetensors file holds. Checksums are verified.
package enum Inspection {
  /// Prints the report, and writes it as JSON where that is asked for. Only the first rank works.
  package static func run(_ options: InspectOptions) throws {
    guard ProcessRank.isFirst else { return }
    let report = try inspect(options.path)
    if options.json != "-" { try StandardStreams.printLine(report.text) }
    if let path = options.json { try writeJSON(report, to: path) }
  }

  /// The report as text, for people.
  package static func text(of path: String) throws -> String { try inspect(path).text }

  static func inspect(_ path: String) throws -> InspectionReport {
    if Files.kindIfPresent(path) == .file {
      let file = try SafetensorsFile(URL(fileURLWithPath: path))
      return InspectionReport(
        path: path, kind: "safetensors", verified: false,
        imagesSeen: try WeightsFile(path).imagesSeen, metadata: file.metadata,
        tensors: file.entries.map {
          .init(name: $0.name, shape: $0.shape, dtype: $0.dtype.rawValue)
        })
    }
    let (reader, passedOver) = try CheckpointReader.find(path)
    let manifest = reader.manifest
    return InspectionReport(
      path: reader.url.path, kind: "checkpoint", verified: true, imagesSeen: manifest.imagesSeen,
      worldSize: manifest.worldSize, build: manifest.build, vectors: manifest.vectors,
      config: manifest.configuration, progress: manifest.progress,
      shards: manifest.shards.map { .init(file: $0.file, bytes: $0.size, checksum: $0.checksum) },
      passedOver: passedOver.map(\.reason),
      tensors: manifest.tensors.map {
        .init(name: $0.name, shape: $0.shape, dtype: $0.dtype)
      })
  }
}

/// What `diffit inspect` found.
struct InspectionReport: Codable, Sendable {
  struct TensorRow: Codable, Sendable {
    let name: String
    let shape: [Int]
    let dtype: String
    var count: Int { shape.reduce(1, *) }
  }
  struct ShardRow: Codable, Sendable {
    let file: String
    let bytes: Int
    let checksum: String
  }

  let path: String
  let kind: String
  /// Whether checksums were compared; a safetensors file has none.
  let verified: Bool
  var imagesSeen: Int?
  var worldSize: Int?
  var build: String?
  var vectors: [String]?
  var config: [String: String]?
  var progress: [String: Double]?
  var shards: [ShardRow]?
  var passedOver: [String]?
  var metadata: [String: String]?
  let tensors: [TensorRow]

  enum CodingKeys: String, CodingKey {
    case path, kind, verified, build, vectors, config, progress, shards, metadata, tensors
    case imagesSeen = "images_seen"
    case worldSize = "world_size"
    case passedOver = "passed_over"
  }

  init(
    path: String, kind: String, verified: Bool, imagesSeen: Int? = nil, worldSize: Int? = nil,
    build: String? = nil, vectors: [String]? = nil, config: [String: String]? = nil,
    progress: [String: Double]? = nil, shards: [ShardRow]? = nil, passedOver: [String]? = nil,
    metadata: [String: String]? = nil, tensors: [TensorRow]
  ) {
    (self.path, self.kind, self.verified) = (path, kind, verified)
    (self.imagesSeen, self.worldSize, self.build) = (imagesSeen, worldSize, build)
    (self.vectors, self.config, self.progress) = (vectors, config, progress)
    (self.shards, self.passedOver, self.metadata) = (shards, passedOver, metadata)
    self.tensors = tensors
  }

  var text: String {
    var lines = ["\(path): \(kind)"]
    for reason in passedOver ?? [] { lines.append("passed over: \(reason)") }
    if let imagesSeen, let worldSize, let build {
      lines.append(
        "images seen  \(imagesSeen), written by \(Format.quantity(worldSize, "rank"))"
          + " of \(build)")
    }
    if let vectors { lines.append("vectors      \(vectors.joined(separator: ", "))") }
    for (key, value) in (progress ?? [:]).sorted(by: { $0.key < $1.key }) {
      lines.append("\(key)  \(Int(value))")  // a count, checked with the manifest
    }
    for shard in shards ?? [] {
      lines.append("\(shard.file)  \(Format.bytes(shard.bytes))  XXH3 \(shard.checksum)  verified")
    }
    for (key, value) in (config ?? metadata ?? [:]).sorted(by: { $0.key < $1.key }) {
      // Settings in an export are many lines.
      let text = value.split(separator: "\n").joined(separator: "\n  ")
      lines.append("\(key.visible()):\(text.contains("\n") ? "\n  " : " ")\(text)")
    }
    let total = tensors.reduce(0) { $0 + $1.count }
    lines.append("\(tensors.count) tensors, \(total) elements")
    lines += tensors.map { "  \($0.name.visible())  \($0.shape)  \($0.dtype)" }
    return lines.joined(separator: "\n")
  }
}
