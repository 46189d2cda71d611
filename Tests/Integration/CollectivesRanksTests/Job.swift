import Foundation
import ProcessSupport

/// Starts the probe, under `mpirun` or by hand; never longer than a minute.
enum Job {
  /// - Parameter ranks: 0 starts it by hand.
  static func run(
    _ arguments: String..., ranks: Int, environment: [String: String] = [:]
  ) throws -> Outcome {
    var command = Command([try probe()] + arguments)
    command.environment = environment
    command.merged = true
    return try command.onRanks(ranks).run()
  }

  /// The built probe.
  static func probe() throws -> String { try Command.product("CollectivesProbe") }

  /// - Parameter during: what to do once the job has said something.
  static func run(
    _ words: [String], environment: [String: String] = [:],
    during: ((Running) throws -> Void)? = nil
  ) throws -> Outcome {
    var command = Command(words)
    command.environment = environment
    command.merged = true
    return try command.run { running in
      guard let during else { return }
      try running.wait(until: "its first line") { running.output.contains("\n") }
      try during(running)
    }
  }
}
