import Checkpoints
import FileFormats
import FixtureSupport
import Foundation
import ProcessSupport
import TensorCore
import Testing

/// What starts jobs; one at a time, because every job takes all cores.
@Suite("Recipes in whole runs", .serialized) enum RecipeTests {}

/// A folder for runs and files, gone with the test.
final class RecipeScene {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  func path(_ name: String) -> String { folder.url.appendingPathComponent(name).path }

  /// A command of the program that must succeed.
  @discardableResult func succeed(_ arguments: [String], ranks: Int = 0) throws -> Outcome {
    let outcome = try run(arguments, ranks: ranks)
    try #require(outcome.code == 0, "\(arguments) on \(ranks) ranks: \(outcome.errors)")
    return outcome
  }

  func run(_ arguments: [String], ranks: Int = 0) throws -> Outcome {
    try Command([try Command.product("diffit")] + arguments).onRanks(ranks).run()
  }

  /// The arguments of `diffit train` of `configs/debug.yaml`: six steps of 16 images.
  func training(_ name: String, _ settings: [String]) -> [String] {
    let standard = [
      "train.images=96", "train.batch=16", "log.every=16", "sample.every=0", "checkpoint.every=0",
      "optimizer.warmup=32", "train.threads=1", "log.straggler=0",
      "parallel.reduction=reproducible", "train.micro_batch=0",
    ]
    return ["train", "--config", Repository.path("configs/debug.yaml"), "--run", path(name)]
      + (standard + settings).flatMap { ["--set", $0] }
  }

  func train(_ name: String, _ settings: [String], ranks: Int = 0) throws {
    try succeed(training(name, settings), ranks: ranks)
  }

  /// The tensors of a file, by name.
  static func tensors(_ file: URL) throws -> [String: [Float]] {
    let opened = try SafetensorsFile(file)
    return try opened.entries.reduce(into: [:]) { $0[$1.name] = try opened.floats($1.name) }
  }

  /// Every vector of the newest checkpoint of a run, from all shards.
  func state(_ name: String) throws -> [String: [UInt32]] {
    let reader = try CheckpointReader.find(path(name)).reader
    let values = Tensor([reader.manifest.flatCount], on: ComputeContext())
    var state: [String: [UInt32]] = [:]
    for vector in reader.manifest.vectors {
      try reader.read(vector, 0..<values.count, into: values)
      state[vector] = values.floats.map(\.bitPattern)
    }
    return state
  }
}
