import Foundation

/// A command that has been started.
package final class Running {
  /// The system refused, or a process did not do in time what was waited for.
  package struct Failure: Error, CustomStringConvertible {
    package let description: String
  }

  private let process = Process()
  private let command: Command
  private let folder: URL

  init(_ command: Command) throws {
    self.command = command
    folder = FileManager.default.temporaryDirectory.appendingPathComponent("command-\(UUID())")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = ["timeout", "--kill-after=5", "\(command.seconds)"] + command.words
    process.environment = Command.cleanEnvironment.merging(command.environment) { $1 }
    process.standardInput = FileHandle.nullDevice
    let output = try file("out")
    process.standardOutput = output
    process.standardError = command.merged ? output : try file("err")
    try Running.withUnblockedSignals { try process.run() }
  }

  deinit { try? FileManager.default.removeItem(at: folder) }

  /// The command's own process; `timeout` is its parent.
  package var processID: Int32 {
    get throws {
      try children(of: process.processIdentifier).first
        ?? { throw Failure(description: "\(command.words) has not started, or has ended") }()
    }
  }

  /// The processes that a process started.
  package func children(of parent: Int32) throws -> [Int32] {
    let path = "/proc/\(parent)/task/\(parent)/children"
    let text = try String(contentsOfFile: path, encoding: .utf8)
    return text.split(separator: " ").compactMap { Int32($0) }
  }

  /// Sends a signal to the command's own process.
  package func signal(_ number: Int32) throws { kill(try processID, number) }

  /// What it has said so far.
  package var output: String { text("out") }

  /// Returns when `isTrue` is; throws where the process ends before, or half its time has passed.
  package func wait(until what: String, _ isTrue: () throws -> Bool) throws {
    let deadline = Date(timeIntervalSinceNow: Double(command.seconds) / 2)
    while try !isTrue() {
      guard process.isRunning, Date() < deadline else {
        throw Failure(
          description: "\(command.words): waited in vain for \(what): \(output) \(text("err"))")
      }
      usleep(2_000)
    }
  }

  func end() {
    process.terminate()
    process.waitUntilExit()
  }

  func wait() throws -> Outcome {
    process.waitUntilExit()
    let isSignalled = process.terminationReason == .uncaughtSignal
    return Outcome(
      code: process.terminationStatus + (isSignalled ? 128 : 0), output: output,
      errors: text("err"))
  }

  private func file(_ name: String) throws -> FileHandle {
    let url = folder.appendingPathComponent(name)
    try Data().write(to: url)
    let handle = try FileHandle(forWritingTo: url)
    // Several processes write to it.
    guard fcntl(handle.fileDescriptor, F_SETFL, O_APPEND) == 0 else {
      throw Failure(description: "\(url.path): cannot be appended to")
    }
    return handle
  }

  private func text(_ name: String) -> String {
    let data = try? Data(contentsOf: folder.appendingPathComponent(name))
    return String(decoding: data ?? Data(), as: UTF8.self)
  }

  /// Tests run on threads that block all signals, and a new process would inherit that.
  private static func withUnblockedSignals(_ body: () throws -> Void) rethrows {
    var (none, before) = (sigset_t(), sigset_t())
    sigemptyset(&none)
    pthread_sigmask(SIG_SETMASK, &none, &before)
    defer { pthread_sigmask(SIG_SETMASK, &before, nil) }
    try body()
  }
}
