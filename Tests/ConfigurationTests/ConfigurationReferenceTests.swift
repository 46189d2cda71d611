import Configuration
import FixtureSupport
import Foundation
import Testing

@Suite("The list of settings")
struct ConfigurationReferenceTests {
  @Test func thePageIsWhatTheProgramPrints() throws {
    let page = try String(
      contentsOfFile: Repository.path("docs/settings.md"), encoding: .utf8)
    #expect(
      page == ConfigurationReference().markdown,
      "docs/settings.md is stale: run `diffit config --markdown > docs/settings.md`")
  }

  @Test func everyKeyIsThereOnce() {
    let page = ConfigurationReference().markdown
    for key in Configuration.keys {
      let name = key.replacing("ema.0.", with: "ema.N.")
      #expect(page.ranges(of: "\n| `\(name)` |").count == 1, "\(name)")
    }
    let text = ConfigurationReference().text(width: 100)
    for key in Configuration.keys {
      #expect(text.ranges(of: "\n  \(key) ").count == 1, "\(key)")
    }
    for section in Configuration.sections { #expect(page.contains("## `\(section.name)`\n")) }
  }

  @Test func meaningsAreSentences() {
    for section in Configuration.sections {
      let settings = section.entries(Configuration())
      for (name, meaning) in [(section.name, section.meaning)]
        + settings.map({ ($0.name, $0.meaning) })
      {
        let first = meaning.first { $0 != "`" }
        #expect(meaning.hasSuffix(".") && meaning.split(separator: " ").count > 2, "\(name)")
        #expect(first?.isUppercase == true || meaning.hasPrefix("`"), "\(name): \(meaning)")
        #expect(!meaning.contains("  ") && !meaning.contains("|"), "\(name): \(meaning)")
      }
    }
  }

  @Test func presentValuesStandBesideDefaults() throws {
    let configuration = try Configuration(
      yaml: "", name: "",
      overrides: ["model.window=8", "ema.1.name=slow", "data.path=a/rather/long/path/to/images"])
    let text = ConfigurationReference(configuration).text(width: 100)
    let lines = text.split(separator: "\n").map(String.init)
    let window = try #require(lines.first { $0.hasPrefix("  model.window ") })
    #expect(window.contains("  8  ") && window.hasSuffix("whole number, 1 to 64; default 4"))
    #expect(text.contains("  ema.1.name ") && text.contains("a/rather/long/path/to/images"))
    let page = ConfigurationReference(configuration).markdown
    #expect(page.contains("| `model.window` | `8` | whole number, 1 to 64 | `4` |"))
  }

  @Test(arguments: [40, 72, 100])
  func meaningsAreWrapped(width: Int) {
    let lines = ConfigurationReference().text(width: width).split(separator: "\n")
    let meanings = lines.filter { $0.hasPrefix("      ") }
    #expect(meanings.count > 85 && meanings.allSatisfy { $0.count <= width })
    // The words are those of the page.
    #expect(meanings.contains { $0.contains("What is trained:") })
  }

  @Test func noKeyHasTwoRows() {
    #expect(Set(Configuration.keys).count == Configuration.keys.count)
  }
}
