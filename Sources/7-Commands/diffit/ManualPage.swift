import CommandSupport
import Foundation

/// A page for `man`, in the macros of man(7), made from what the argument parser tells of a command.
///
/// The parser's own generator of manual pages is a plugin of SwiftPM, which a host without Swift
/// cannot run.
struct ManualPage {
  /// The page's name, `diffit-data-info`.
  let name: String
  /// The page's source.
  let text: String

  /// The pages of a program and all its commands but hidden ones.
  ///
  /// - Parameter json: what the parser dumps.
  static func all(ofHelp json: String) throws -> [ManualPage] {
    struct Dump: Decodable { let command: Command }
    return pages(of: try JSONDecoder().decode(Dump.self, from: Data(json.utf8)).command, below: [])
  }

  /// A command as the parser dumps it, as far as pages show it.
  private struct Command: Decodable {
    struct Argument: Decodable {
      struct Name: Decodable {
        let kind: String
        let name: String
        var text: String { (kind == "long" ? "--" : "-") + name }
      }
      let kind: String
      let shouldDisplay: Bool
      let isOptional: Bool
      let isRepeating: Bool
      let names: [Name]?
      let valueName: String?
      let defaultValue: String?
      let allValues: [String]?
      let abstract: String?

      /// As it stands in a synopsis: `--seeds <list>`.
      var usage: String {
        let value = "<\(valueName ?? "value")>"
        let word = names?.first { $0.kind == "long" } ?? names?.first
        let text =
          switch kind {
          case "positional": value
          case "flag": word?.text ?? ""
          default: "\(word?.text ?? "") \(value)"
          }
        return (isOptional ? "[\(text)]" : text) + (isRepeating ? " ..." : "")
      }
    }

    let commandName: String
    let shouldDisplay: Bool
    let abstract: String?
    let discussion: String?
    let arguments: [Argument]?
    let subcommands: [Command]?
  }

  private static func pages(of command: Command, below parents: [String]) -> [ManualPage] {
    let words = parents + [command.commandName]
    let own = (command.subcommands ?? []).filter { $0.shouldDisplay && $0.commandName != "help" }
    return [ManualPage(command, words: words, subcommands: own)]
      + own.flatMap { pages(of: $0, below: words) }
  }

  private init(_ command: Command, words: [String], subcommands: [Command]) {
    let name = words.joined(separator: "-")
    let arguments = (command.arguments ?? []).filter(\.shouldDisplay)
    var lines = [
      ".TH \"\(name.uppercased())\" 1 \"\" \"diffit \(Build.version)\"",
      ".SH NAME", "\(Self.escaped(name)) \\- \(Self.escaped(command.abstract ?? ""))",
      ".SH SYNOPSIS", ".B \(Self.escaped(words.joined(separator: " ")))",
      Self.escaped(
        (subcommands.isEmpty ? arguments.map(\.usage) : ["<command>", "..."])
          .joined(separator: " ")),
    ]
    if let discussion = command.discussion {
      lines += [".SH DESCRIPTION"]
      lines += discussion.components(separatedBy: "\n\n").flatMap {
        [".PP", Self.escaped($0.replacing("\n", with: " "))]
      }
    }
    if !subcommands.isEmpty {
      lines += [".SH COMMANDS"]
      lines += subcommands.flatMap {
        [".TP", ".B \(Self.escaped($0.commandName))", Self.escaped($0.abstract ?? "")]
      }
    }
    lines += [".SH OPTIONS"] + arguments.flatMap(Self.lines)
    let related = subcommands.map { "\(name)-\($0.commandName)" } + words.dropLast().prefix(1)
    if !related.isEmpty {
      lines += [".SH SEE ALSO", Self.escaped(related.map { "\($0)(1)" }.joined(separator: ", "))]
    }
    self.name = name
    text = lines.joined(separator: "\n") + "\n"
  }

  private static func lines(of argument: Command.Argument) -> [String] {
    let names = (argument.names ?? []).map(\.text).joined(separator: ", ")
    let value = argument.kind == "flag" ? "" : "<\(argument.valueName ?? "value")>"
    var notes = [argument.abstract ?? ""]
    if let values = argument.allValues { notes.append("One of \(values.joined(separator: ", ")).") }
    if let value = argument.defaultValue { notes.append("(default: \(value))") }
    return [
      ".TP", ".B \(escaped([names, value].filter { !$0.isEmpty }.joined(separator: " ")))",
      escaped(notes.filter { !$0.isEmpty }.joined(separator: " ")),
    ]
  }

  /// A text that no macro takes for its own: backslashes, hyphens, and a point or an apostrophe at
  /// the beginning of a line.
  private static func escaped(_ text: String) -> String {
    let text = text.replacing("\\", with: "\\e").replacing("-", with: "\\-")
    return text.hasPrefix(".") || text.hasPrefix("'") ? "\\&" + text : text
  }
}
