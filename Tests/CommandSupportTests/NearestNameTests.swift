import CommandSupport
import Testing

@Suite struct NearestNameTests {
  private let names = ["train", "sample", "evaluate", "data", "inspect", "help"]

  @Test(arguments: [
    ("trian", "train"), ("smaple", "sample"), ("evalute", "evaluate"), ("date", "data"),
    ("inspec", "inspect"), ("TRAIN", nil), ("nosuch", nil), ("x", nil),
  ])
  func theNearestName(word: String, name: String?) {
    #expect(NearestName.to(word, among: names) == name)
    #expect(NearestName.to(word, among: []) == nil)
  }

  @Test(arguments: [
    ("", "", 0), ("", "abc", 3), ("abc", "abc", 0), ("abc", "acb", 1), ("abcd", "badc", 2),
    ("kitten", "sitting", 3), ("ca", "abc", 3),
  ])
  func distances(a: String, b: String, distance: Int) {
    #expect(NearestName.distance(a, b) == distance && NearestName.distance(b, a) == distance)
  }
}
