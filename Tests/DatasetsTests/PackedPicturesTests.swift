import Datasets
import ErrorSupport
import FileFormats
import FixtureSupport
import Foundation
import Testing

@Suite struct PackedPicturesTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  /// A packed set of pictures whose red is 10 x index, with these labels.
  private func write(_ name: String, labels: String?, count: Int = 3) throws -> String {
    let path = folder.path + "/" + name
    let zip = try ZipWriter(path)
    for index in 0..<count {
      try zip.add(PackedLayout.name(of: index), ImageFixtures.png(UInt8(10 * index)))
    }
    if let labels { try zip.add("dataset.json", Data(labels.utf8)) }
    try zip.finish()
    return path
  }

  private func open(_ path: String) throws -> IndexedImageDataset {
    try IndexedImageDataset(path: path, layout: .packed, resolution: 8)
  }

  private func error(_ path: String) -> (any Error)? {
    errorIfThrown { _ = try open(path) }
  }

  private static func label(_ index: Int, _ label: Int) -> String {
    "[\"\(PackedLayout.name(of: index))\", \(label)]"
  }

  private static let three =
    "{\"labels\": [\(label(2, 6)), \(label(0, 1)), \(label(1, 0))], \"more\": {\"a\": [1]}}"

  @Test func names() {
    #expect(PackedLayout.name(of: 0) == "00000/img00000000.png")
    #expect(PackedLayout.name(of: 1_281_166) == "01281/img01281166.png")
  }

  @Test func labelsOfEDM() throws {
    let data = try open(write("a.zip", labels: Self.three))
    #expect(data.classNames == ["0", "1", "2", "3", "4", "5", "6"])
    #expect(try (0..<3).map { try data.image($0).label } == [1, 0, 6])
    #expect(try data.image(2).image[3, 3] == [20, 20, 30])
  }

  @Test(arguments: ["{\"labels\": null}", nil]) func withoutLabels(labels: String?) throws {
    let data = try open(write("a.zip", labels: labels))
    #expect(data.classNames.isEmpty && data.count == 3)
    #expect(try data.image(1).label == 0)
  }

  @Test func whatIsWrittenIsReadBack() throws {
    let labels = (0..<3).map { (name: PackedLayout.name(of: $0), label: 2 - $0) }
    let text = String(
      decoding: PackedLayout.labelFile(labels, classNames: ["a \"b\"", "c\\", "d\n"]),
      as: UTF8.self)
    #expect(text.hasPrefix("{\"labels\": [[\"00000/img00000000.png\", 2], "))
    let data = try open(write("a.zip", labels: text))
    #expect(data.classNames == ["a \"b\"", "c\\", "d\n"])
    #expect(try data.image(0).label == 2)
    let none = String(
      decoding: PackedLayout.labelFile(nil, classNames: []), as: UTF8.self)
    #expect(try open(write("b.zip", labels: none)).classNames.isEmpty)
  }

  @Test func aFolderOfTheSameLayout() throws {
    for index in 0..<3 {
      try folder.write(
        ImageFixtures.png(UInt8(10 * index)), "set/" + PackedLayout.name(of: index))
    }
    try folder.write(Data(Self.three.utf8), "set/dataset.json")
    let data = try open(folder.path + "/set")
    #expect(try (0..<3).map { try data.image($0).label } == [1, 0, 6])
    #expect(try data.image(2).image[3, 3] == [20, 20, 30])
    let source = try ImageSource(path: folder.path + "/set")
    #expect(source.kind == "packed" && source.count == 3)
  }

  /// Compressed entries are read.
  @Test func deflatedEntriesOfPython() throws {
    let data = try IndexedImageDataset(
      path: ImageFixtures.path("deflated.zip"), layout: .packed, resolution: 8)
    #expect(try (0..<3).map { try data.image($0).label } == [0, 1, 0])
    #expect(try data.image(0).image == ImageFixtures.image(8, 8))
    #expect(try data.images.image(2) == ImageFixtures.image(10, 8))
  }

  @Test func digestFollowsTheContentAndNotThePath() throws {
    let one = try open(write("a.zip", labels: Self.three)).contentDigest
    #expect(try open(write("b.zip", labels: Self.three)).contentDigest == one)
    let other = Self.three.replacingOccurrences(of: "6]", with: "5]")
    #expect(try open(write("c.zip", labels: other)).contentDigest != one)
    #expect(try open(write("d.zip", labels: nil)).contentDigest != one)
  }

  // MARK: What is refused

  @Test func aLabelIsMissing() throws {
    let path = try write(
      "a.zip", labels: "{\"labels\": [\(Self.label(0, 1)), \(Self.label(1, 1))]}")
    #expect(
      error(path)
        == DatasetError.missingLabel(
          path: path, name: "00000/img00000002.png", expected: "an entry in dataset.json"))
  }

  @Test(arguments: [
    ("{\"labels\": [[\"a.png\", 0], [\"a.png\", 1]]}", "a.png is there twice"),
    ("{\"labels\": [[\"a.png\", -1]]}", "a.png has label -1"),
    ("{\"labels\": [[\"a.png\", 99999999]]}", "a.png has label 99999999"),
    ("{\"classes\": []}", "labels is missing"),
    ("{\"labels\": 3}", "labels has another type than expected"),
    ("{\"labels\": [[1, 2]]}", "labels[0][0] has another type than expected"),
    ("{\"labels\": [", "not JSON"), ("", "not JSON"),
    (
      "{\"labels\": [[\"a.png\", 2]], \"classes\": [\"x\", \"y\"]}",
      "it names 2 classes, and a label is 2"
    ),
  ]) func brokenLabels(text: String, reason: String) throws {
    let path = try write("a.zip", labels: text)
    #expect(error(path) == DatasetError.brokenLabels(path: path + "/dataset.json", reason: reason))
  }

  @Test func aLabelOfNoPicture() throws {
    let all = (0..<4).map { Self.label($0, 0) }.joined(separator: ", ")
    let path = try write("a.zip", labels: "{\"labels\": [\(all)]}")
    #expect(
      error(path)
        == DatasetError.brokenLabels(
          path: path + "/dataset.json", reason: "it has 00000/img00000003.png, which is not there"))
  }

  @Test func withoutPictures() throws {
    let path = try write("a.zip", labels: "{\"labels\": []}", count: 0)
    #expect(error(path) == DatasetError.noImages(path: path))
  }

  @Test func cutOff() throws {
    let whole = try Data(contentsOf: URL(fileURLWithPath: write("a.zip", labels: Self.three)))
    let path = try folder.write(whole.prefix(whole.count - 30), "cut.zip")
    guard case ArchiveError.brokenZip(path, _)? = error(path) else {
      Issue.record("found \(String(describing: error(path)))")
      return
    }
  }

  /// A byte of a stored picture: its checksum tells when it is read, and others are not touched.
  @Test func aDamagedEntry() throws {
    var bytes = try Data(contentsOf: URL(fileURLWithPath: write("a.zip", labels: Self.three)))
    bytes[150] ^= 1
    let data = try open(folder.write(bytes, "damaged.zip"))
    let found = errorIfThrown { _ = try data.image(0) }
    guard case ArchiveError.brokenZip(_, let reason)? = found else {
      Issue.record("found \(String(describing: found))")
      return
    }
    #expect(reason.contains("img00000000.png") && (found as? ArchiveError)?.brokenEntry == reason)
    #expect(throws: Never.self) { try data.image(1) }
  }
}
