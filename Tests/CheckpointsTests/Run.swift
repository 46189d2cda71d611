import Checkpoints
import FixtureSupport
import Foundation
import TensorCore

/// Changes one byte of a file in place.
func flipByte(_ url: URL, at position: Int) throws {
  var data = try Data(contentsOf: url)
  data[position] ^= 0x10
  try data.write(to: url)
}

/// A run of two small vectors, saved by any number of ranks.
struct Run {
  static let vectors = [VectorName.weights, VectorName.ema("ema")]
  let context = ComputeContext()
  let store: CheckpointStore
  /// A linear layer, a gap of two, a bias: 2 x 3 + 2 + 3 elements.
  let table = ParameterTable(
    [
      ParameterEntry(name: "z.weight", shape: [3, 2], layout: .linear, offset: 0),
      ParameterEntry(name: "a.bias", shape: [3], layout: .plain, offset: 8),
    ], flatCount: 11)

  init(_ scratch: TemporaryFolder) {
    store = CheckpointStore(directory: scratch.file("checkpoints"))
  }

  func values(_ vector: String, images: Int) -> [Float] {
    (0..<table.flatCount).map { i in
      Float(images) + Float(i) / 16 + (vector == VectorName.weights ? 0 : 0.5)
    }
  }

  func manifest(
    _ images: Int, _ shards: [ShardRecord], vectors: [String] = Run.vectors
  ) -> Manifest {
    Manifest(
      imagesSeen: images, vectors: vectors,
      configuration: ["model.blocks": "2,2", "train.batch": "8"], build: "test",
      progress: ["skipped": 3, "loss": 0.1], table: table, shards: shards)
  }

  /// Contiguous ranges of `ranks` ranks; with more ranks than elements some are empty.
  func ranges(_ ranks: Int) -> [Range<Int>] {
    (0..<ranks).map { table.flatCount * $0 / ranks..<table.flatCount * ($0 + 1) / ranks }
  }

  func writeShards(_ images: Int, ranks: Int) throws -> [ShardRecord] {
    try ranges(ranks).enumerated().map { rank, range in
      try store.writeShard(
        images: images, rank: rank, of: ranks, ranges: [range],
        vectors: Run.vectors.map { name in
          StateVector(
            name, [Tensor(Array(values(name, images: images)[range]), [range.count], on: context)])
        })
    }
  }

  @discardableResult
  func save(_ images: Int, ranks: Int = 2) throws -> URL {
    try store.beginWrite(images: images)
    return try store.commit(manifest(images, writeShards(images, ranks: ranks)))
  }

  func read(
    _ checkpoint: CheckpointReader, _ vector: String, _ range: Range<Int>
  ) throws -> [Float] {
    let tensor = Tensor(zeros: [range.count], on: context)
    try checkpoint.read(vector, range, into: tensor)
    return tensor.floats
  }

  static func shard(_ url: URL, _ rank: Int, of ranks: Int = 2) -> URL {
    url.appendingPathComponent(ShardRecord.fileName(rank: rank, of: ranks))
  }
}
