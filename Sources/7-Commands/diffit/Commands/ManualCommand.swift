import ArgumentParser
import CommandSupport
import Foundation
import SystemSupport

/// Writes the manual pages, for `launch/install.sh`; no command for users, so the help does not
/// show it.
struct ManualCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "manual",
    abstract: "Write the manual pages of all commands, for man.",
    discussion: """
      Example: diffit manual --out share/man/man1
      """, shouldDisplay: false)

  @Option(name: .customLong("out"), help: ArgumentHelp("The folder to write.", valueName: "dir"))
  var output: String

  mutating func run() throws {
    guard ProcessRank.isFirst else { return }
    try FileOutput.makeFolder(output)
    for page in try ManualPage.all(ofHelp: Diffit._dumpHelp()) {
      try AtomicFile.write(Array(page.text.utf8), to: "\(output)/\(page.name).1", durable: false)
    }
  }
}
