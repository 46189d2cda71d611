import CommandSupport
import Configuration
import Foundation
import ModelLoading
import SystemSupport
import TensorCore

/// `diffit train`.
package enum TrainJob {
  /// Trains, or with `--dry-run` prints what training would take.
  package static func run(_ options: TrainOptions) throws {
    if options.dryRun { return try dryRun(options) }
    let hook = try FaultPoint()
    let stop = StopSignal()  // before anything that takes time
    try Job.run { communicator, log in
      let configuration = try communicator.agree {
        try options.carriedSettings()
          ?? Configuration(file: options.settingsFile(), overrides: options.overrides)
      }
      try Watchdog.start(
        configuration, over: communicator, log: log,
        directory: RunDirectory(path: options.run), hook: hook)
      try TrainingRun(options, configuration, communicator, log, hook: hook).run(until: stop)
    }
  }

  private static func dryRun(_ options: TrainOptions) throws {
    guard ProcessRank.isFirst else { return }
    let configuration =
      try options.carriedSettings()
      ?? Configuration(file: options.settingsFile(), overrides: options.overrides)
    let plan = ResourcePlan(configuration, ranks: ProcessRank.count)
    try StandardStreams.printLine(
      configuration.yaml + "# "
        + plan.lines(of: RunDirectory(path: options.run)).joined(separator: "\n# "))
  }
}
