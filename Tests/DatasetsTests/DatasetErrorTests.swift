import Datasets
import FileFormats
import Images
import SystemSupport
import Testing

@Suite struct DatasetErrorTests {
  /// Every description is one line that names the file and says what to do.
  @Test func descriptionsAreOneLine() {
    let all: [any Error] = [
      FileError.notFound(path: "P"), FileError.unreadable(path: "P", reason: "R"),
      FileError.unwritable(path: "P", reason: "R"),
      DatasetError.truncated(path: "P", size: 5, recordSize: 3073),
      DatasetError.labelOutOfRange(path: "P", record: 7, label: 11, classes: 10),
      ArchiveError.brokenArchive(path: "P", reason: "R"),
      ArchiveError.brokenTar(path: "P", reason: "R"),
      DatasetError.brokenLabels(path: "P", reason: "R"),
      DatasetError.missingLabel(path: "P", name: "N", expected: "N.cls"),
      ArchiveError.missingEntry(archive: "P", name: "N"),
      DatasetError.noClasses(path: "P"), DatasetError.emptyClass(path: "P"),
      ImageError.unknownImageFormat(path: "P"),
      ImageError.brokenImage(path: "P", reason: "R"),
      ImageError.imageTooLarge(path: "P", width: 9, height: 8, limit: 70),
      ArchiveError.brokenZip(path: "P", reason: "R"),
      ArchiveError.missingArray(path: "P", name: "N", found: ["M"]),
      ArchiveError.notNumPy(path: "P"), ArchiveError.brokenNumPyHeader(path: "P", reason: "R"),
      ArchiveError.unsupportedElements(path: "P", type: "|O"),
      ArchiveError.wrongArraySize(path: "P", expected: 8, found: 7),
      DatasetError.notImages(path: "P", found: "float32 [2, 3]"),
      DatasetError.emptyFolder(path: "P"),
      DatasetError.noImages(path: "P"),
      DatasetError.noImages(path: "P", found: LeftOut([".webp": 10, "hidden": 2])),
      DatasetError.emptyClass(path: "P", found: LeftOut([".webp": 10])),
      DatasetError.strayImages(path: "P", count: 3, first: "cover.png", folders: 2),
      DatasetError.labelsBelow(path: "P"), ArchiveError.wrongChecksum(path: "P", name: "N"),
      ArchiveError.tooLarge(path: "P", found: "N with 7 bytes behind 9", limit: 8),
      ImageError.mixedSizes(
        path: "P", first: "A", firstSize: ImageSize(width: 1, height: 2), second: "B",
        secondSize: ImageSize(width: 3, height: 4)), DatasetError.unknownCollection(path: "P"),
    ]
    for error in all {
      let text = "\(error)"
      #expect(text.contains("P") && !text.contains("\n") && text.count < 160)
      #expect(text.contains(";") || text.contains("expected"))
    }
    #expect("\(all[4])".contains("record 7 has label 11, expected 0 to 9"))
  }
}
