import Checkpoints
import FileFormats
import FixtureSupport
import Foundation
import Images
import ProcessSupport
import Testing

/// What starts jobs; one at a time, because every job takes all cores.
@Suite("Files of a run", .serialized) enum RunFilesTests {}

/// A folder with a run of `configs/debug.yaml` in it, gone with the test.
struct Scene {
  let folder: TemporaryFolder
  /// The run's directory.
  var run: String { path("run") }

  init() throws { folder = try TemporaryFolder() }

  func path(_ name: String) -> String { folder.file(name).path }
  func exists(_ name: String) -> Bool { FileManager.default.fileExists(atPath: path(name)) }
  func text(_ name: String) throws -> String {
    try String(contentsOfFile: path(name), encoding: .utf8)
  }
  func checkpoint(_ images: Int) -> String {
    "\(run)/checkpoints/\(CheckpointStore.name(images: images))"
  }
  /// A folder of one class of eight small images, instead of all shapes, whose features take long.
  func images() throws -> String {
    for index in 0..<8 {
      let pixels = (0..<16 * 16 * 3).map { UInt8(($0 * (index + 3) + index * 31) % 256) }
      try folder.makeFolder("images/a")
      try ImageFile.writePNG(
        RGBImage(width: 16, height: 16, pixels: pixels), to: path("images/a/\(index).png"))
    }
    return path("images")
  }
  /// Names of the checkpoints, oldest first.
  var checkpoints: [String] { (try? names(in: folder.file("run/checkpoints"))) ?? [] }

  func diffit(_ arguments: String...) throws -> Command {
    Command([try Command.product("diffit")] + arguments)
  }

  /// Six steps of 16 images, a row of statistics per step.
  func training(_ settings: String..., options: [String] = []) throws -> Command {
    let standard = [
      "train.images=96", "train.batch=16", "train.micro_batch=16", "log.every=16", "sample.every=0",
      "checkpoint.every=16", "optimizer.warmup=0", "train.threads=1", "log.straggler=0",
    ]
    return Command(
      [
        try Command.product("diffit"), "train", "--config", Repository.path("configs/debug.yaml"),
        "--run", run,
      ] + (standard + settings).flatMap { ["--set", $0] } + options)
  }
}

/// Runs a command on one rank, or on several, and expects one line and a code.
func expectRefusal(
  _ code: Int32, _ command: Command, ranks: [Int] = [0], saying parts: String...,
  at location: SourceLocation = #_sourceLocation
) throws {
  for count in ranks {
    let outcome = try command.onRanks(count).run()
    let complaints = outcome.complaints.filter { !$0.hasPrefix("warning: ") }
    #expect(outcome.code == code, "\(count) ranks: \(outcome)", sourceLocation: location)
    #expect(complaints.count == 1, "\(outcome.errors)", sourceLocation: location)
    for part in parts {
      #expect(
        complaints.first?.contains(part) == true, "\"\(part)\" is not in: \(outcome.errors)",
        sourceLocation: location)
    }
  }
}
