import Datasets
import Testing

@Suite struct DatasetErrorTests {
  /// Every description is one line that names the file and says what to do.
  @Test func descriptionsAreOneLine() {
    let all: [DatasetError] = [
      .notFound(path: "P"), .unreadable(path: "P", reason: "R"),
      .unwritable(path: "P", reason: "R"), .truncated(path: "P", size: 5, recordSize: 3073),
      .labelOutOfRange(path: "P", record: 7, label: 11, classes: 10),
      .brokenArchive(path: "P", reason: "R"), .missingEntry(archive: "P", name: "N"),
      .noClasses(path: "P"), .emptyClass(path: "P"), .unknownImageFormat(path: "P"),
      .brokenImage(path: "P", reason: "R"),
      .imageTooLarge(path: "P", width: 9, height: 8, limit: 70),
    ]
    for error in all {
      let text = "\(error)"
      #expect(text.contains("P") && !text.contains("\n") && text.count < 160)
      #expect(text.contains(";") || text.contains("expected"))
    }
    #expect("\(all[4])".contains("record 7 has label 11, expected 0 to 9"))
  }
}
