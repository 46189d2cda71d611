import Checkpoints
import FileFormats
import FixtureSupport
import Foundation
import ProcessSupport
import Reporting
import TensorCore
import Testing
import Training

/// What starts jobs; one at a time, because every job takes all cores.
@Suite("The built program", .serialized) enum EndToEndTests {}

/// A folder for runs and files, gone with the test.
final class Scene {
  let folder: URL

  init() throws {
    folder = FileManager.default.temporaryDirectory.appendingPathComponent("scene-\(UUID())")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(at: folder) }

  func path(_ name: String) -> String { folder.appendingPathComponent(name).path }
  func exists(_ name: String) -> Bool { FileManager.default.fileExists(atPath: path(name)) }
  func bytes(_ name: String) throws -> Data {
    try Data(contentsOf: URL(fileURLWithPath: path(name)))
  }
  func text(_ name: String) throws -> String { String(decoding: try bytes(name), as: UTF8.self) }

  /// Names in a folder, sorted, hidden ones left out; none where there is no such folder.
  func names(in name: String) -> [String] {
    ((try? FileManager.default.contentsOfDirectory(atPath: path(name))) ?? [])
      .filter { !$0.hasPrefix(".") }.sorted()
  }

  /// Changes one byte of a file.
  func flipByte(_ name: String, at position: Int) throws {
    var data = try bytes(name)
    data[position] ^= 0x40
    try data.write(to: URL(fileURLWithPath: path(name)))
  }

  func copy(_ from: String, to: String) throws {
    try FileManager.default.copyItem(atPath: path(from), toPath: path(to))
  }
}

extension Repository {
  static let debug = path("configs/debug.yaml")
  static let launcher = path("launch/local.sh")
}

/// The program and its arguments.
enum Diffit {
  static func command(_ arguments: [String]) throws -> Command {
    Command([try Command.product("diffit")] + arguments)
  }

  /// - Parameter ranks: 0: without `mpirun`.
  static func run(_ arguments: String..., ranks: Int = 0) throws -> Outcome {
    try command(arguments).onRanks(ranks).run()
  }

  /// `diffit train` of `configs/debug.yaml`: six steps of 16 images with augmentation, classes and
  /// dropout, in micro-batches that do not divide a rank's share; a row of statistics a step.
  static func training(
    _ run: String, _ settings: [String] = [], options: [String] = []
  ) throws -> Command {
    let standard = [
      "train.images=96", "train.batch=16", "train.micro_batch=3", "log.every=16", "sample.every=0",
      "checkpoint.every=0", "optimizer.warmup=32", "train.threads=1",
      "log.straggler=0",
    ]
    return try command(
      ["train", "--config", Repository.debug, "--run", run]
        + (standard + settings).flatMap { ["--set", $0] } + options)
  }
}

/// A run directory.
struct RunFolder {
  let path: String

  init(_ path: String) { self.path = path }
  init(_ scene: Scene, _ name: String) { path = scene.path(name) }

  /// Trains in it and expects the end of the run.
  func train(_ settings: String..., ranks: Int = 0, options: [String] = []) throws {
    let outcome = try Diffit.training(path, settings, options: options).onRanks(ranks).run()
    try #require(outcome.code == 0, "\(settings) on \(ranks) ranks: \(outcome.errors)")
  }

  var rows: [StatsRow] {
    get throws {
      let decoder = JSONDecoder()
      decoder.nonConformingFloatDecodingStrategy = .convertFromString(
        positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
      // A tick has an epoch; rows of metrics have none.
      let ticks = try text("stats.jsonl").split(separator: "\n").filter { $0.contains("\"epoch\"") }
      return try ticks.map {
        try decoder.decode(StatsRow.self, from: Data($0.utf8))
      }
    }
  }

  /// Names of the checkpoints, oldest first.
  var checkpoints: [String] {
    ((try? FileManager.default.contentsOfDirectory(atPath: "\(path)/checkpoints")) ?? []).sorted()
  }

  func checkpoint(_ images: Int) -> String {
    "\(path)/checkpoints/\(CheckpointStore.name(images: images))"
  }

  /// The newest checkpoint's weights, or one of its averages, as a file of `diffit export`, whose bytes
  /// depend on nothing else.
  func export(ema: String? = nil) throws -> Data {
    let file = "\(path)/\(ema ?? "raw").safetensors"
    let chosen = ema.map { ["--ema", $0] } ?? []
    let outcome = try Diffit.command(["export", path, "--bare", "--out", file] + chosen).run()
    try #require(outcome.code == 0, "\(outcome.errors)")
    return try Data(contentsOf: URL(fileURLWithPath: file))
  }

  /// As `export`, opened.
  func tensors(ema: String? = nil) throws -> SafetensorsFile {
    _ = try export(ema: ema)
    return try SafetensorsFile(URL(fileURLWithPath: "\(path)/\(ema ?? "raw").safetensors"))
  }

  /// Every vector of the state in a checkpoint, from all shards.
  func state(_ images: Int) throws -> [String: [Float]] {
    let reader = try CheckpointReader(URL(fileURLWithPath: checkpoint(images)), verifying: true)
    let values = Tensor([reader.manifest.flatCount], on: ComputeContext())
    var state: [String: [Float]] = [:]
    for name in reader.manifest.vectors {
      try reader.read(name, 0..<values.count, into: values)
      state[name] = values.floats
    }
    return state
  }

  func text(_ name: String) throws -> String {
    try String(contentsOfFile: "\(path)/\(name)", encoding: .utf8)
  }

  func sample(_ images: Int, _ kind: String) throws -> Data {
    let digits = CheckpointStore.name(images: images)
    return try Data(contentsOf: URL(fileURLWithPath: "\(path)/samples/\(digits)-\(kind).png"))
  }
}
