import Datasets
import Testing

@Suite struct DatasetErrorTests {
  /// Every description is one line that names the file and says what to do.
  @Test func descriptionsAreOneLine() {
    let all: [DatasetError] = [
      .notFound(path: "P"), .unreadable(path: "P", reason: "R"),
      .unwritable(path: "P", reason: "R"), .truncated(path: "P", size: 5, recordSize: 3073),
      .labelOutOfRange(path: "P", record: 7, label: 11, classes: 10),
      .brokenArchive(path: "P", reason: "R"), .brokenTar(path: "P", reason: "R"),
      .brokenLabels(path: "P", reason: "R"),
      .missingLabel(path: "P", name: "N", expected: "N.cls"),
      .missingEntry(archive: "P", name: "N"),
      .noClasses(path: "P"), .emptyClass(path: "P"), .unknownImageFormat(path: "P"),
      .brokenImage(path: "P", reason: "R"),
      .imageTooLarge(path: "P", width: 9, height: 8, limit: 70),
      .brokenZip(path: "P", reason: "R"), .missingArray(path: "P", name: "N", found: ["M"]),
      .notNumPy(path: "P"), .brokenNumPyHeader(path: "P", reason: "R"),
      .unsupportedElements(path: "P", type: "|O"),
      .wrongArraySize(path: "P", expected: 8, found: 7),
      .notImages(path: "P", found: "float32 [2, 3]"), .emptyFolder(path: "P"),
      .noImages(path: "P"),
      .mixedSizes(
        path: "P", first: "A", firstSize: ImageSize(width: 1, height: 2), second: "B",
        secondSize: ImageSize(width: 3, height: 4)), .unknownCollection(path: "P"),
    ]
    for error in all {
      let text = "\(error)"
      #expect(text.contains("P") && !text.contains("\n") && text.count < 160)
      #expect(text.contains(";") || text.contains("expected"))
    }
    #expect("\(all[4])".contains("record 7 has label 11, expected 0 to 9"))
  }
}
