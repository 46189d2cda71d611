import ArgumentParser
import CommandSupport
import Configuration
import Foundation
import LinearAlgebra
import SystemSupport

/// Runs a command and turns what it throws into one line and an exit code.
@main
enum Program {
  enum Outcome: Int32 {
    case done = 0
    case failed = 1
    case badUsage = 2
  }

  static func main() {
    StandardStreams.prepare()
    Files.speak(as: ErrorLine.speaker())
    if let problem = MemoryLimit.problem(cores: CoreSet.allowed?.numbers.count ?? 1) {
      complainOnce(problem)
      _exit(Outcome.failed.rawValue)  // libraries' own ends could wait for ever
    }
    OpenBLAS.repairCore()
    Build.commit = buildCommit
    let code: Int32
    do {
      var command = try Diffit.parseAsRoot(Array(ProcessArguments.all.dropFirst()))
      do {
        // Help is a command of the parser's own, and needs nothing.
        if Diffit.has(type(of: command)) { try Job.checkEnvironment() }
        try command.run()
        code = Outcome.done.rawValue
      } catch let error as CleanExit {
        code = report(usage: error).rawValue
      } catch  where Diffit.exitCode(for: error).isSuccess {
        code = report(usage: error).rawValue
      } catch {
        code = report(error)
      }
    } catch {
      code = report(usage: error).rawValue
    }
    exit(code)
  }

  /// Help goes to standard output. A mistake in the arguments is the same on every rank, so the first
  /// one alone tells of it.
  private static func report(usage error: any Error) -> Outcome {
    if Diffit.exitCode(for: error).isSuccess {
      do {
        try StandardStreams.printLine(Diffit.fullMessage(for: error))
        return .done
      } catch {
        ErrorLine.write("\(error)")
        return .failed
      }
    }
    let words = WordsOfCommand()
    complainOnce(
      "\(words.problem ?? Diffit.message(for: error)); see `\(words.help)`")
    return .badUsage
  }

  private static func report(_ error: any Error) -> Int32 {
    switch error {
    case is SharedFailure: break
    // Options that contradict each other do so on every rank.
    case is ConfigurationError, is OptionError: complainOnce("\(error)")
    default: ErrorLine.write("\(error)")
    }
    return (error as? any ExitCoded)?.exitCode ?? Outcome.failed.rawValue
  }

  private static func complainOnce(_ text: String) {
    ErrorLine.leaveItToTheFirstRank()
    if ProcessRank.isFirst { ErrorLine.write(text) }
  }
}
