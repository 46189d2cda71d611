/// Every key with its meaning, type, default and present value, for a terminal and as a page.
///
/// ```swift
/// print(ConfigurationReference(try Configuration(file: "configs/debug.yaml")).text(width: 100))
/// ```
package struct ConfigurationReference {
  private let configuration: Configuration
  private let defaults = Configuration()

  /// - Parameter configuration: whose values are shown as the present ones.
  package init(_ configuration: Configuration = Configuration()) {
    self.configuration = configuration
  }

  /// Sections as headings, then per key a line of columns and its meaning, wrapped.
  ///
  /// - Parameter width: of the lines, in characters; a word that is longer stands by itself.
  package func text(width: Int) -> String {
    Configuration.sections.map { text(of: $0, width: width) }.joined(separator: "\n")
  }

  private func text(of section: ConfigurationSection, width: Int) -> String {
    let entries = section.entries(configuration)
    let values = entries.map { value(of: $0, in: configuration) }
    let nameWidth = entries.map(\.name.count).max() ?? 0
    let valueWidth = min(values.map(\.count).max() ?? 0, 24)
    var text = "\(section.name)\n\(wrapped(section.meaning, indentation: 2, width: width))\n"
    for (setting, value) in zip(entries, values) {
      text += "  \(setting.name.padded(nameWidth))  \(value.padded(valueWidth))  \(setting.kind)"
      text += "; default \(defaultText(of: setting))\n"
      text += "\(wrapped(setting.meaning, indentation: 6, width: width))\n"
    }
    return text
  }

  /// `docs/settings.md`, with a column of present values where they are not the defaults.
  package var markdown: String {
    let showsValues = configuration != defaults
    let shown = showsValues ? configuration : defaults
    let columns =
      showsValues
      ? ["key", "value", "type", "default", "meaning"] : ["key", "type", "default", "meaning"]
    let sections = Configuration.sections.map { section in
      var lines = [row(columns), row(columns.map { _ in "---" })]
      for setting in section.entries(shown) {
        let name = showsValues ? setting.name : setting.name.replacing("ema.0.", with: "ema.N.")
        let present = showsValues ? [quoted(value(of: setting, in: shown))] : []
        let last = [setting.kind, quoted(defaultText(of: setting)), setting.meaning]
        lines.append(row(["`\(name)`"] + present + last))
      }
      let meaning = wrapped(section.meaning, indentation: 0, width: 100)
      return "## `\(section.name)`\n\n\(meaning)\n\n\(lines.joined(separator: "\n"))\n"
    }
    return introduction + "\n" + sections.joined(separator: "\n")
  }

  private var introduction: String {
    let fixed = Configuration.fixedForRun.map { "`\($0)`" }.joined(separator: ", ")
    let free = Configuration.freeForRun.map { "`\($0)`" }.joined(separator: ", ")
    let paragraphs = [
      "Settings are written in YAML with a section per topic, or in JSON. `--config FILE` names the file,"
        + " and `--set section.key=value`, which may be repeated, changes one setting after it. Lists are"
        + " written `2,2,2` in `--set`. Numbers of images may have a suffix: `500k`, `10M`, `1.5Ki`. A key"
        + " that a file leaves out has its default; the defaults are those of `configs/cifar10.yaml`.",
      "An unknown key is an error that names the nearest known one. A value that cannot work is an error"
        + " that names the file and the line, what was expected, and what to change. Anchors and aliases"
        + " of YAML are not read.",
      "A run keeps some settings from its first step to its last: \(fixed). The others, and"
        + " \(free), may change when it resumes.",
      "`diffit config --config FILE` prints this list with the values of a file. This page is what"
        + " `diffit config --markdown` prints; to change it, change the text beside the key in"
        + " `Sources/6-Runs/Configuration`, and print it again.",
    ]
    return "# Settings\n\n"
      + paragraphs.map { wrapped($0, indentation: 0, width: 100) }.joined(separator: "\n\n") + "\n"
  }

  private func value(
    of setting: Setting<Configuration>, in configuration: Configuration
  ) -> String {
    let text = setting.write(configuration).settingText
    return text.isEmpty ? "empty" : text
  }

  /// Each entry of a list has the defaults of the first.
  private func defaultText(of setting: Setting<Configuration>) -> String {
    let key = setting.name.replacing(/^ema\.[0-9]+\./, with: "ema.0.")
    let text = Configuration.defaultText(of: key)
    return text.isEmpty ? "empty" : text
  }

  /// A value in Markdown; `empty` is none.
  private func quoted(_ value: String) -> String { value == "empty" ? value : "`\(value)`" }

  private func row(_ cells: [String]) -> String { "| " + cells.joined(separator: " | ") + " |" }
}

/// The words in lines of at most `width` characters, each line indented.
private func wrapped(_ text: String, indentation: Int, width: Int) -> String {
  let margin = String(repeating: " ", count: indentation)
  var lines = [margin]
  for word in text.split(separator: " ") {
    let line = lines[lines.count - 1]
    let isEmpty = line.count == indentation
    if !isEmpty && line.count + 1 + word.count > width {
      lines.append(margin + word)
    } else {
      lines[lines.count - 1] = isEmpty ? line + word : "\(line) \(word)"
    }
  }
  return lines.joined(separator: "\n")
}

extension String {
  /// With spaces behind it, up to `width` characters.
  fileprivate func padded(_ width: Int) -> String {
    self + String(repeating: " ", count: max(width - count, 0))
  }
}
