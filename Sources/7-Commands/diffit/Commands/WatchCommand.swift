import ArgumentParser
import CommandSupport
import Foundation
import Reporting
import SystemSupport

struct WatchCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "watch",
    abstract: "Show how a run goes that another process trains.",
    discussion: """
      On a terminal the view is drawn again every two seconds, until the run ends or Ctrl-C is \
      pressed. Elsewhere there is one line per tick. The run itself is not touched.

      Example: diffit watch runs/cifar10
      """)

  @Argument(help: ArgumentHelp("A run directory.", valueName: "run"))
  var path: String

  @Flag(name: .long, help: "Show the present state once, and end.")
  var once = false

  mutating func run() throws {
    guard ProcessRank.isFirst else { return }
    var history = try RunHistory(path: path)
    let isTerminal = isatty(STDOUT_FILENO) == 1
    if once || !isTerminal {
      try StandardStreams.printLine(
        RunWatch.view(history, width: Self.width ?? 100).joined(separator: "\n"))
      if once { return }
    }
    var shown = history.ticks.count
    while true {
      if isTerminal {
        let lines = RunWatch.view(history, width: Self.width ?? 80)
        // Home, then each line and the rest of it cleared, then what is below.
        let text = lines.map { $0 + "\u{1B}[K\n" }.joined()
        try StandardStreams.write(Array(("\u{1B}[H\u{1B}[J" + text).utf8))
      } else if history.ticks.count > shown {
        shown = history.ticks.count
        try StandardStreams.printLine(RunWatch.line(history))
      }
      guard history.status == .running else { break }
      sleep(2)
      try history.refresh()
    }
    if !isTerminal { try StandardStreams.printLine("\(history.name): \(history.status.rawValue)") }
  }

  private static var width: Int? { Terminal.columns(of: STDOUT_FILENO).map { max($0, 40) } }
}
