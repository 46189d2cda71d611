import Foundation
import Testing

/// The built program beside the tests, run as a user would.
@Suite("The program", .serialized)
struct CommandLineTests {
  struct Result {
    let code: Int32
    let output: String
    let errors: String
    /// Lines on standard error.
    var complaints: [Substring] { errors.split(separator: "\n") }
  }

  private func run(
    _ arguments: [String], environment: [String: String] = [:]
  ) throws -> Result {
    let tests = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
    let folder = FileManager.default.temporaryDirectory
      .appending(path: "diffit-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let files = ["out", "err"].map { folder.appending(path: $0) }
    for file in files { try Data().write(to: file) }
    let process = Process()
    process.executableURL = URL(fileURLWithPath: tests).deletingLastPathComponent()
      .appending(path: "diffit")
    process.arguments = arguments
    process.environment = ProcessInfo.processInfo.environment.filter {
      !$0.key.hasPrefix("OMPI_") && !$0.key.hasPrefix("PMI")
    }.merging(environment) { $1 }
    process.currentDirectoryURL = folder
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = try FileHandle(forWritingTo: files[0])
    process.standardError = try FileHandle(forWritingTo: files[1])
    try process.run()
    // A hang is a failure, not a wait.
    let deadline = Date(timeIntervalSinceNow: 60)
    while process.isRunning && Date() < deadline { usleep(5_000) }
    if process.isRunning { process.terminate() }
    process.waitUntilExit()
    #expect(Date() < deadline, "diffit \(arguments) did not end")
    let texts = try files.map { try String(contentsOf: $0, encoding: .utf8) }
    return Result(code: process.terminationStatus, output: texts[0], errors: texts[1])
  }

  private func expectBadUsage(_ arguments: [String], _ parts: String...) throws {
    let result = try run(arguments)
    #expect(result.code == 2, "\(arguments): \(result)")
    #expect(result.complaints.count == 1, "\(arguments): \(result)")
    #expect(result.output.isEmpty)
    for part in parts { #expect(result.errors.contains(part), "\(part) not in \(result.errors)") }
  }

  @Test(arguments: [
    "train", "sample", "parity", "bench", "inspect", "config", "report", "watch", "export",
    "doctor", "scaling",
    "scaling measure", "scaling predict",
  ])
  func everyCommandHasHelpWithAnExample(command: String) throws {
    for flag in ["-h", "--help"] {
      let result = try run(command.split(separator: " ").map(String.init) + [flag])
      #expect(result.code == 0 && result.errors.isEmpty)
      #expect(result.output.contains("Example: ") && result.output.contains("diffit \(command)"))
      #expect(result.output.hasPrefix("OVERVIEW: "))
    }
  }

  @Test func theProgramsHelpNamesEveryCommandAndNoOther() throws {
    let result = try run(["--help"])
    #expect(result.code == 0)
    let listed = result.output.components(separatedBy: "SUBCOMMANDS:").last ?? ""
    let names = listed.split(separator: "\n").filter { $0.prefix(3).last?.isLetter ?? false }
      .compactMap { $0.split(separator: " ").first }.filter { $0 != "See" }
    #expect(
      names == [
        "train", "sample", "evaluate", "data", "noise", "parity", "bench", "inspect", "config",
        "report", "watch", "export", "doctor", "scaling", "plan", "optimal-loss",
      ])
  }

  @Test func helpShowsDefaults() throws {
    #expect(try run(["train", "-h"]).output.contains("default: auto"))
    #expect(try run(["sample", "-h"]).output.contains("default: auto"))
    #expect(try run(["bench", "-h"]).output.contains("default: 32"))
    #expect(try run(["parity", "-h"]).output.contains("1e-4"))
  }

  @Test func anUnknownOptionIsNamed() throws {
    try expectBadUsage(["train", "--nosuch"], "Unknown option '--nosuch'")
    try expectBadUsage(["train", "--config", "x", "--nosuch"], "'--nosuch'")
    try expectBadUsage(["export", "a", "--outt=b"], "'--outt'")
  }

  @Test func aMisspeltWordIsSuggested() throws {
    try expectBadUsage(["trian"], "Unknown command 'trian', did you mean 'train'?", "diffit --help")
    try expectBadUsage(["data", "inof"], "did you mean 'info'?", "diffit data --help")
    try expectBadUsage(["train", "--confg", "x"], "'--confg', did you mean '--config'?")
    try expectBadUsage(["sample", "x", "--outt=y"], "did you mean '--out'?")
    try expectBadUsage(["sample", "x", "-out", "y"], "'-out', did you mean '--out'?")
    try expectBadUsage(["data", "convert", "x", "--resolutoin", "8"], "'--resolution'?")
    let far = try run(["xyz"])
    #expect(far.code == 2 && !far.errors.contains("did you mean"))
  }

  @Test func badUsage() throws {
    try expectBadUsage(["nosuch"], "nosuch")
    try expectBadUsage(["train"], "--config")
    try expectBadUsage(["train", "--config"], "--config")
    try expectBadUsage(["train", "stray", "--config", "x"], "stray")
    try expectBadUsage(["train", "--config", "x", "--resume", ""], "--resume")
    try expectBadUsage(["sample", "x"], "--out")
    try expectBadUsage(["sample", "x", "--out", "y", "--seeds", "5-3"], "5-3", "3-5")
    try expectBadUsage(["sample", "x", "--out", "y", "--sampler", "foo"], "foo", "heun")
    try expectBadUsage(["sample", "x", "--out", "y", "--sampler", "plms"], "plms", "heun")
    try expectBadUsage(["parity"], "golden")
    try expectBadUsage(["parity", "x", "--precision", "fp64"], "fp64")
    try expectBadUsage(["bench", "--batch", "x"], "--batch")
    try expectBadUsage(["bench", "--batch", "0"], "--batch 0")
    try expectBadUsage(["doctor", "--json"], "--json")
  }

  @Test func badConfiguration() throws {
    try expectBadUsage(["train", "--config", "missing.yaml"], "missing.yaml", "no such file")
    try expectBadUsage(["bench", "--set", "model.widow=4"], "model.widow", "model.window")
    try expectBadUsage(["bench", "--set", "model.window=5"], "--set model.window=5", "1, 2, 4")
    try expectBadUsage(["bench", "--set", "train.seed=1", "--set", "model.head_dim=48"], "128")
    try expectBadUsage(["bench", "--set", "nonsense"], "KEY=VALUE")
  }

  @Test func onlyTheFirstRankTellsOfBadArguments() throws {
    let first = try run(["train", "--nosuch"], environment: ["OMPI_COMM_WORLD_RANK": "0"])
    #expect(first.code == 2 && first.complaints.count == 1)
    let second = try run(["train", "--nosuch"], environment: ["OMPI_COMM_WORLD_RANK": "1"])
    #expect(second.code == 2 && second.errors.isEmpty)
    let file = try run(
      ["train", "--config", "missing.yaml"], environment: ["PMI_RANK": "2"])
    #expect(file.code == 2 && file.errors.hasPrefix("diffit: missing.yaml"))
  }
}
