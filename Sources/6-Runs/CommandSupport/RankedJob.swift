import Collectives
import Logging
import SystemSupport

/// What the commands that run on several ranks share: joining the job, and leaving it whatever
/// happens.
package enum Job {
  /// Refuses environment variables that no command can use, before anything else is done.
  package static func checkEnvironment() throws(OptionError) {
    do {
      _ = try ThreadRequest()
    } catch {
      throw OptionError(
        option: ThreadRequest.variable, found: error.found, expected: error.expected)
    }
  }

  /// Starts MPI, runs the job, and ends all ranks whatever happens. Errors that all ranks share are
  /// told once.
  ///
  /// - Parameter json: where results go. Where that is `-`, what the job says goes to standard
  ///   error.
  package static func run(
    json: String? = nil, _ body: (any Communicator, RunLog) throws -> Void
  ) throws {
    let communicator = try Launcher().start()
    let log = RunLog(rank: communicator.rank, output: json == "-" ? 2 : 1)
    do {
      try body(communicator, log)
      try communicator.finalize()
    } catch let error as CommunicationError where error.spokesman != nil {
      // All ranks are here, and know.
      log.conclude("\(error)", level: .error)
      if error.spokesman == communicator.rank { ErrorLine.write("\(error)", of: nil) }
      try communicator.finalize()
      throw SharedFailure(error: error)
    } catch let error as StoppedOnRequest {
      log.conclude("\(error)", level: .info)
      if communicator.rank == 0 { ErrorLine.write("\(error)", of: nil) }
      try communicator.finalize()
      throw SharedFailure(error: error)
    } catch {
      if communicator.size == 1 {
        log.conclude("\(error)", level: .error)
        throw error
      }
      // The other ranks are somewhere else and will not come to a common end.
      log.error("\(error); all ranks end")
      ErrorLine.drain()
      communicator.abort(code: (error as? any ExitCoded)?.exitCode ?? 1)
    }
  }
}

/// What ended a job on all ranks alike, and has been told.
package struct SharedFailure: ExitCoded, CustomStringConvertible {
  /// Why the job ended.
  package let error: any Error

  package var description: String { "\(error)" }
  package var exitCode: Int32 { (error as? any ExitCoded)?.exitCode ?? 1 }
}

extension StoppedOnRequest: ExitCoded {
  /// EX_USAGE of sysexits.h has the same number; here it means: start me again.
  package var exitCode: Int32 { 64 }
}
