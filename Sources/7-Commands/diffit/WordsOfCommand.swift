import ArgumentParser
import CommandSupport
import SystemSupport

/// What is wrong with the words of a command line that the parser has refused, where it can be said
/// better than the parser does: a command or an option that there is not, with the one that was
/// probably meant.
struct WordsOfCommand {
  /// The commands that the words begin with: none, one, or one and its own.
  private let commands: [any ParsableCommand.Type]
  /// The words after them.
  private let rest: ArraySlice<String>

  /// - Parameter words: what follows the program's name.
  init(_ words: [String] = Array(ProcessArguments.all.dropFirst())) {
    var (found, choices) = ([any ParsableCommand.Type](), Diffit.configuration.subcommands)
    for word in words {
      guard let next = choices.first(where: { $0._commandName == word }) else { break }
      found.append(next)
      choices = next.configuration.subcommands
    }
    (commands, rest) = (found, words.dropFirst(found.count))
  }

  /// The command that shows the help: `diffit data info --help`.
  var help: String {
    (["diffit"] + commands.map { $0._commandName } + ["--help"]).joined(separator: " ")
  }

  /// What is wrong; nil where it is nothing that this type knows of.
  var problem: String? { unknownCommand ?? unknownOption }

  private var unknownCommand: String? {
    let names = (commands.last ?? Diffit.self).configuration.subcommands
      .filter { $0.configuration.shouldDisplay }.map { $0._commandName }
    guard !names.isEmpty, let word = rest.first, !word.hasPrefix("-"), word != "help" else {
      return nil
    }
    return "Unknown command '\(word)'" + suggestion(for: word, among: names + ["help"])
  }

  /// The parser tells of a missing option before it tells of a misspelt one, which is the likelier
  /// mistake: so options that the command's help does not show are looked for first.
  private var unknownOption: String? {
    guard let command = commands.last else { return nil }
    let known = Diffit.helpMessage(for: command).split { !"-_".contains($0) && !$0.isLetter }
      .filter { $0.hasPrefix("--") }.map(String.init)
    for word in rest.prefix(while: { $0 != "--" }) {
      guard let option = word.split(separator: "=").first.map(String.init) else { continue }
      if option.hasPrefix("--"), !known.contains(option) {
        return "Unknown option '\(option)'" + suggestion(for: option, among: known)
      }
      // With one hyphen too few; a short option has one letter, and a number none.
      if option.count > 2, known.contains("-" + option) {
        return "Unknown option '\(option)', did you mean '-\(option)'?"
      }
    }
    return nil
  }

  private func suggestion(for word: String, among names: [String]) -> String {
    NearestName.to(word, among: names).map { ", did you mean '\($0)'?" } ?? ""
  }
}
