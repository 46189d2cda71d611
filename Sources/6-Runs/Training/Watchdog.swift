import Collectives
import CommandSupport
import Configuration
import Foundation
import ModelLoading
import Reporting
import Synchronization
import SystemSupport

/// Ends a job that cannot go on, and says which rank blocks it. MPI would wait for ever for a rank
/// that stands still, and cannot tell which rank it waits for.
///
/// One thread per rank runs until the process ends, because leaving MPI can take for ever too. Each
/// thread sends heartbeats. The watchers judge them (`StallDetector`), write one line and end all
/// ranks with `CommunicationError.lostJob`.
enum Watchdog {
  /// Starts to watch. Collective. Nothing happens where there is only one rank, or
  /// `parallel.timeout` is 0.
  ///
  /// - Parameters:
  ///   - directory: of the run, whose log the first rank writes; another rank adds its line where the
  ///     first one cannot.
  ///   - hook: may mute this rank's heartbeats, in tests.
  static func start(
    _ configuration: Configuration, over communicator: any Communicator, log: RunLog,
    directory: RunDirectory, hook: (any StepHook)?
  ) throws {
    let timeout = configuration.parallel.timeout
    guard communicator.size > 1, timeout > 0 else { return }
    let isMute = hook?.mutesHeartbeats(of: communicator.rank) ?? false
    let channel = try HeartbeatChannel(over: communicator, isMute: isMute)
    let vigil = StallDetector(
      rank: channel.rank, hosts: channel.hosts, watchers: channel.watchers,
      timeout: Double(timeout), batch: configuration.train.batch)
    try communicator.agree {
      try SystemThread.start("watchdog") {
        let finding = watch(vigil, channel, communicator.activity)
        end(finding.line(timeout: timeout), communicator, log, directory)
      }
    }
  }

  /// Returns when the job is stuck.
  private static func watch(
    _ vigil: StallDetector, _ channel: HeartbeatChannel, _ activity: Activity
  ) -> StallReport {
    var vigil = vigil
    var (time, held) = (MonotonicClock.now, 0.0)
    while true {
      let now = MonotonicClock.now
      channel.send(vigil.pass(seconds: now - time, own: activity.state))
      held += min(now - time, 2 * vigil.interval)
      time = now
      if let finding = vigil.finding {
        if held >= vigil.reserve { return finding }
      } else {
        held = 0
      }
      channel.receive(seconds: vigil.interval) { vigil.note($0) }
    }
  }

  /// Says why, and ends all ranks.
  private static func end(
    _ line: String, _ communicator: any Communicator, _ log: RunLog, _ directory: RunDirectory
  ) -> Never {
    // Whatever blocks the main thread may block this one too: a terminal, a file, or MPI itself.
    try? SystemThread.start("last resort") {
      sleep(4)
      _exit(CommunicationError.lostJob)
    }
    log.error(line)
    OpenMetricsFile.markStalled(directory.openMetrics)
    if communicator.rank != 0, let end = FileHandle(forUpdatingAtPath: directory.log) {
      _ = try? end.seekToEnd()
      try? end.write(contentsOf: Data((log.line(ofError: line) + "\n").utf8))
    }
    ErrorLine.drain()
    communicator.abort(code: CommunicationError.lostJob)
  }
}
