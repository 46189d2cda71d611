import ArgumentParser
import Foundation
import Training

/// Runs a command and turns what it throws into one line and an exit code.
@main
enum Program {
  enum Outcome: Int32 {
    case done = 0
    case failed = 1
    case badUsage = 2
    case stoppedOnRequest = 64
  }

  static func main() {
    let outcome: Outcome
    do {
      var command = try Diffit.parseAsRoot()
      do {
        try command.run()
        outcome = .done
      } catch let error as CleanExit {
        outcome = report(usage: error)
      } catch  where Diffit.exitCode(for: error).isSuccess {
        outcome = report(usage: error)
      } catch {
        outcome = report(error)
      }
    } catch {
      outcome = report(usage: error)
    }
    exit(outcome.rawValue)
  }

  /// Help goes to standard output. A mistake in the arguments is the same on every rank, so the first
  /// one alone tells of it.
  private static func report(usage error: any Error) -> Outcome {
    if Diffit.exitCode(for: error).isSuccess {
      print(Diffit.fullMessage(for: error))
      return .done
    }
    let command = Diffit.configuration.subcommands.first { command in
      CommandLine.arguments.dropFirst().first == command._commandName
    }
    let help = ["diffit", command?._commandName, "--help"].compactMap(\.self)
    let problem = unknownOption(of: command) ?? Diffit.message(for: error)
    if rank ?? 0 == 0 { complain("\(problem); see `\(help.joined(separator: " "))`") }
    return .badUsage
  }

  /// The parser tells of a missing option before it tells of a misspelt one, which is the likelier
  /// mistake: so options that the command's help does not show are looked for first.
  private static func unknownOption(of command: (any ParsableCommand.Type)?) -> String? {
    guard let command else { return nil }
    let known = Diffit.helpMessage(for: command).split { !"-_".contains($0) && !$0.isLetter }
    return CommandLine.arguments.dropFirst(2).prefix { $0 != "--" }
      .filter { $0.hasPrefix("--") }
      .compactMap { $0.split(separator: "=").first }
      .first { !known.contains($0) }
      .map { "Unknown option '\($0)'" }
  }

  private static func report(_ error: any Error) -> Outcome {
    switch error {
    case is StoppedOnRequest:
      if rank ?? 0 == 0 { complain("\(error)") }
      return .stoppedOnRequest
    case is ConfigurationError:
      waitForFirstRank()
      complain("\(error)")
      return .badUsage
    default:
      waitForFirstRank()
      complain("\(error)")
      return .failed
    }
  }

  /// A mistake that all ranks make is told once: the launcher ends them all when the first rank has
  /// told it, within about a second. One that the first rank does not make is told by the others.
  private static func waitForFirstRank() {
    if let rank, rank > 0 { Thread.sleep(forTimeInterval: 3) }
  }

  private static func complain(_ text: String) {
    let speaker = rank.map { "diffit: rank \($0): " } ?? "diffit: "
    let line = text.split(whereSeparator: \.isNewline)
      .map { $0.trimmingCharacters(in: .whitespaces) }.joined(separator: " ")
    FileHandle.standardError.write(Data((speaker + line + "\n").utf8))
  }

  private static var rank: Int? { Launcher.rank }
}
