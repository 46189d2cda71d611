import Foundation
import SystemSupport
import Testing

@Suite("Numbers and JSON as text")
struct TextTests {
  @Test(arguments: [
    ([], ""), ([3], "3"), ([0, 1], "0, 1"), ([0, 1, 2, 5], "0-2, 5"), ([7, 5, 6, 5], "5-7"),
  ])
  func lists(numbers: [Int], text: String) { #expect(Format.list(numbers) == text) }

  @Test func aLongListIsCut() {
    #expect(Format.list([0, 2, 4, 6], limit: 2) == "0, 2, ...")
    #expect(Format.list([0, 2], limit: 2) == "0, 2")
  }

  @Test func zerosBefore() {
    #expect(Format.zeroPadded(42, 5) == "00042" && Format.zeroPadded(123_456, 5) == "123456")
    #expect(Format.zeroPadded(hexadecimal: UInt32(255), 4) == "00ff")
  }

  @Test func quotedTextsAreReadBack() throws {
    let text = "a \"quote\", a \\, a \u{1}\n\t and é 漢"
    #expect(JSONText.quoted("a\"\\\u{1F}é") == #""a\"\\\u001fé""#)
    let again = try JSONDecoder().decode(
      [String].self, from: Data("[\(JSONText.quoted(text))]".utf8))
    #expect(again == [text])
  }

  private struct File: Decodable {
    enum Kind: String, Decodable { case one }
    struct Part: Decodable { let size: Int }
    let kind: Kind
    let parts: [Part]
  }

  @Test(arguments: [
    (#"{"kind": "one"}"#, "parts is missing"),
    (#"{"kind": "one", "parts": [{"size": 1}, {}]}"#, "parts[1].size is missing"),
    (#"{"kind": "one", "parts": [{"size": "1"}]}"#, "parts[0].size has another type than expected"),
    (#"{"kind": "one", "parts": null}"#, "parts has another type than expected"),
    (#"{"kind": "two", "parts": []}"#, "kind has an unknown value"),
    ("[]", "the file has another type than expected"), ("{", "not JSON"), ("", "not JSON"),
  ])
  func whatIsWrongWithAFile(text: String, reason: String) {
    do {
      _ = try JSONDecoder().decode(File.self, from: Data(text.utf8))
      Issue.record("\(text) was read")
    } catch {
      #expect(DecodingError.oneLine(of: error) == reason)
    }
  }

  @Test func otherErrorsAreOneLineToo() {
    struct Odd: Error, CustomStringConvertible { let description = "two\nlines" }
    #expect(DecodingError.oneLine(of: Odd()) == "two lines")
  }
}
