import ArgumentParser
import CommandSupport
import Foundation
import Reporting
import SystemSupport

struct ReportCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "report",
    abstract: "Write a page that shows the course of a run, or of several side by side.",
    discussion: """
      The page is one HTML file. A run keeps its own page, RUN/report.html, up to date while it \
      trains; this command writes it again, or a page of several runs.

      Example: diffit report runs/a runs/b --out comparison.html
      """)

  @Argument(help: ArgumentHelp("Run directories.", valueName: "run"))
  var runs: [String]

  @Option(
    name: .long,
    help: ArgumentHelp(
      "The page, an .html file; RUN/report.html if there is one run.", valueName: "file.html"))
  var out: String?

  mutating func run() throws {
    guard let path = out ?? (runs.count == 1 ? "\(runs[0])/report.html" : nil) else {
      throw OptionError(
        option: "--out", found: "is missing", expected: "an .html file for a page of several runs")
    }
    try require(
      path.hasSuffix(".html") || path.hasSuffix(".htm"), "--out", path,
      expected: "a name that ends in .html")
    let histories = try runs.map { try RunHistory(path: $0) }
    guard ProcessRank.isFirst else { return }
    try AtomicFile.write(Array(RunReport(histories).html().utf8), to: path, durable: false)
    try StandardStreams.printLine("wrote \(path)")
  }
}
