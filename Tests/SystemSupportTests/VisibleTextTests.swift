import SystemSupport
import Testing

@Suite("Text of others on the terminal")
struct VisibleTextTests {
  @Test(arguments: [
    ("plain, naïve, 日本語, 👩‍🔬", "plain, naïve, 日本語, 👩‍🔬"), ("", ""),
    ("a\u{1B}[2Jb", #"a\u{1b}[2Jb"#), ("a\nb\tc\rd", #"a\nb\tc\rd"#),
    ("\u{7F}\u{9B}31m", #"\u{7f}\u{9b}31m"#),
    ("abc\u{202E}gnp.exe", #"abc\u{202e}gnp.exe"#), ("one\u{2028}two", #"one\u{2028}two"#),
  ])
  func whatATerminalActsUponIsWrittenOut(text: String, shown: String) {
    #expect(text.visible() == shown)
  }

  @Test func severalLinesStay() {
    #expect("a\n\tb\u{07}\r\n".visible(keepsLines: true) == "a\n\tb\\u{7}\\r\n")
  }

  @Test func timesAreInUTC() {
    #expect(WallClock.utc(0) == "1970-01-01T00:00:00Z")
    #expect(WallClock.utc(1_795_821_000) == "2026-11-27T23:10:00Z")
    #expect(WallClock.utc().count == 20)
  }
}
