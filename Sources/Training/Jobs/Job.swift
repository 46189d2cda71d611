import Collectives

/// What the commands that run on several ranks share: joining the job, and leaving it whatever happens.
enum Job {
  static func run(_ body: (any Communicator, RunLog) throws -> Void) throws {
    let communicator = try Launcher().start()
    let log = RunLog(rank: communicator.rank)
    do {
      try body(communicator, log)
      try communicator.finalize()
    } catch let error as CommunicationError where error.spokesman != nil {
      // All ranks are here, and know.
      log.conclude("error: \(error)")
      try communicator.finalize()
      throw SharedFailure(error: error, isTold: error.spokesman != communicator.rank)
    } catch let error as StoppedOnRequest {
      log.conclude("\(error)")
      try communicator.finalize()
      throw SharedFailure(error: error, isTold: communicator.rank != 0)
    } catch {
      if communicator.size == 1 {
        log.conclude("error: \(error)")
        throw error
      }
      // The other ranks are somewhere else and will not come to a common end.
      log.error("\(error); all ranks end")
      communicator.abort(code: (error as? any ExitCoded)?.exitCode ?? 1)
    }
  }
}

/// What ended a job on all ranks alike; one of them tells of it.
public struct SharedFailure: ExitCoded, CustomStringConvertible {
  public let error: any Error
  /// Whether another rank tells.
  public let isTold: Bool

  public var description: String { "\(error)" }
  public var exitCode: Int32 { (error as? any ExitCoded)?.exitCode ?? 1 }
}

extension StoppedOnRequest: ExitCoded {
  /// EX_USAGE of sysexits.h has the same number; here it means: start me again.
  public var exitCode: Int32 { 64 }
}
