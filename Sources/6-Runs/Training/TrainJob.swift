import CommandSupport
import Foundation
import ModelLoading
import SystemSupport
import TensorCore

/// `diffit train`.
package enum TrainJob {
  package static func run(_ options: TrainOptions) throws {
    if options.dryRun { return try dryRun(options) }
    let fault = try FaultPoint()
    let stop = StopSignal()  // before anything that takes time
    try Job.run { communicator, log in
      let configuration = try communicator.agree { try options.configuration() }
      try Watchdog.start(
        configuration, over: communicator, log: log, file: RunDirectory(path: options.run).log,
        fault: fault)
      try TrainingRun(options, configuration, communicator, log, fault: fault).run(until: stop)
    }
  }

  private static func dryRun(_ options: TrainOptions) throws {
    guard ProcessRank.isFirst else { return }
    let configuration = try options.configuration()
    let plan = ResourcePlan(configuration, ranks: ProcessRank.count)
    try StandardStreams.printLine(
      configuration.yaml + "# " + plan.lines().joined(separator: "\n# "))
  }
}
