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
    StandardStreams.openMissing()
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
    let commands = namedCommands
    let help = ["diffit"] + commands.map { $0._commandName } + ["--help"]
    let problem = unknownOption(of: commands) ?? Diffit.message(for: error)
    complainOnce("\(problem); see `\(help.joined(separator: " "))`")
    return .badUsage
  }

  /// The commands that the arguments begin with: one, or one and its own.
  private static var namedCommands: [any ParsableCommand.Type] {
    var (found, choices) = ([any ParsableCommand.Type](), Diffit.configuration.subcommands)
    for word in ProcessArguments.all.dropFirst() {
      guard let next = choices.first(where: { $0._commandName == word }) else { break }
      found.append(next)
      choices = next.configuration.subcommands
    }
    return found
  }

  /// The parser tells of a missing option before it tells of a misspelt one, which is the likelier
  /// mistake: so options that the command's help does not show are looked for first.
  private static func unknownOption(of commands: [any ParsableCommand.Type]) -> String? {
    guard let command = commands.last else { return nil }
    let known = Diffit.helpMessage(for: command).split { !"-_".contains($0) && !$0.isLetter }
    return ProcessArguments.all.dropFirst(1 + commands.count).prefix { $0 != "--" }
      .filter { $0.hasPrefix("--") }
      .compactMap { $0.split(separator: "=").first }
      .first { !known.contains($0) }
      .map { "Unknown option '\($0)'" }
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
