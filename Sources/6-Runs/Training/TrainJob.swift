import CommandSupport
import Configuration
import Foundation
import ModelLoading
import TensorCore

/// `diffit train`.
package enum TrainJob {
  package static func run(_ options: TrainOptions) throws {
    if options.dryRun { return try dryRun(options) }
    let fault = try FaultPoint()
    let stop = StopSignal()  // before anything that takes time
    try Job.run { communicator, log in
      let configuration = try communicator.agree {
        try Configuration(file: options.config, overrides: options.overrides)
      }
      try Watchdog.start(
        configuration, over: communicator, log: log, file: RunDirectory(path: options.run).log,
        fault: fault)
      try TrainingRun(options, configuration, communicator, log, fault: fault).run(until: stop)
    }
  }

  private static func dryRun(_ options: TrainOptions) throws {
    guard ProcessRank.isFirst else { return }
    let configuration = try Configuration(file: options.config, overrides: options.overrides)
    print(configuration.yaml, terminator: "")
    let plan = ResourcePlan(configuration, ranks: ProcessRank.count)
    print(try "# " + plan.lines().joined(separator: "\n# "))
  }
}
