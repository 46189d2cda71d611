import ArgumentParser
import CommandSupport
import Configuration
import Foundation
import SystemSupport

struct ConfigCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "config",
    abstract: "Show every setting: what it means, its type, its default and its present value.",
    discussion: """
      Example: diffit config --config configs/cifar10.yaml --set train.batch=256
      """)

  @OptionGroup var settings: ConfigurationArguments

  @Flag(name: .long, help: "Print a page of Markdown, as docs/settings.md is.")
  var markdown = false

  mutating func run() throws {
    let configuration = try Configuration(
      file: settings.file, overrides: settings.overrides.texts)
    guard ProcessRank.isFirst else { return }
    let reference = ConfigurationReference(configuration)
    let width = Terminal.columns(of: STDOUT_FILENO).map { max($0, 40) }
    let text = markdown ? reference.markdown : reference.text(width: width ?? 100)
    try StandardStreams.write(Array(text.visible(keepsLines: true).utf8))
  }
}
