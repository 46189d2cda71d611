import Datasets
import ErrorSupport
import FileFormats
import FixtureSupport
import Foundation
import Testing

@Suite struct TarPicturesTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func write(_ name: String, _ files: [(String, Data)]) throws -> String {
    var tar = TarBytes()
    for (name, content) in files { tar.add(name, content) }
    return try folder.write(tar.finished, name)
  }

  private func open(_ path: String) throws -> IndexedImageDataset {
    try IndexedImageDataset(path: path, layout: .tar, resolution: 8)
  }

  private func error(_ path: String) -> (any Error)? {
    errorIfThrown { _ = try open(path) }
  }

  private func shard(_ name: String, _ numbers: Range<Int>) throws -> String {
    try write(
      name,
      numbers.flatMap { number -> [(String, Data)] in
        let key = String(format: "%06d", number)
        let label: (String, Data) =
          number % 2 == 0
          ? ("\(key).cls", Data("\(number)\n".utf8))
          : ("\(key).json", Data("{\"label\": \(number), \"text\": \"x\"}".utf8))
        let picture = try ImageFixtures.png(UInt8(10 * number))
        // Either may come first; captions and masks are passed over.
        let files =
          number % 3 == 0 ? [label, ("\(key).png", picture)] : [("\(key).png", picture), label]
        return files + [("\(key).txt", Data("a".utf8)), ("\(key).mask.png", Data("b".utf8))]
      })
  }

  @Test func shardsOfWebDataset() throws {
    _ = try shard("s/a-001.tar", 3..<5)
    let first = try shard("s/a-000.tar", 0..<3)
    let data = try open(folder.path + "/s")
    #expect(data.count == 5 && data.classNames == ["0", "1", "2", "3", "4"])
    for index in 0..<5 {
      let (image, label) = try data.image(index)
      #expect(label == index && image[4, 4] == [10 * index, 20, 30])
    }
    #expect(data.images.name(of: 4) == folder.path + "/s/a-001.tar/000004.png")
    #expect(try open(first).count == 3)
    #expect(try ImageCollections.open(first).count == 3)
    #expect(try ImageCollections.open(folder.path + "/s").image(3)[0, 0] == [30, 20, 30])
  }

  /// The pictures and the order of class folders.
  @Test func aTarAClass() throws {
    let (a, b) = (try ImageFixtures.png(1), try ImageFixtures.png(2))
    _ = try write("c/n00000002.tar", [("n00000002_7.JPEG", Fixtures.rgbJPEG)])
    _ = try write(
      "c/n00000001.tar", [("n00000001_9.png", b), ("n00000001_10.png", a)])
    let data = try open(folder.path + "/c")
    #expect(data.classNames == ["n00000001", "n00000002"])
    #expect(try (0..<3).map { try data.image($0).label } == [0, 0, 1])
    #expect(try data.image(0).image[0, 0] == [1, 20, 30])
    _ = try write("c/n00000003.tar", [("readme.txt", a)])
    #expect(
      error(folder.path + "/c") == DatasetError.emptyClass(path: folder.path + "/c/n00000003.tar"))
  }

  @Test func withoutLabels() throws {
    let tar = try write("plain.tar", [("x/1.png", try ImageFixtures.png(1))])
    let data = try open(tar)
    #expect(data.classNames.isEmpty && data.images.label(of: 0) == nil)
    #expect(try data.image(0).label == 0)
  }

  @Test func digestFollowsTheContentAndNotThePath() throws {
    let pictures = [("1.png", try ImageFixtures.png(1)), ("2.png", try ImageFixtures.png(2))]
    let one = try open(write("one.tar", pictures)).contentDigest
    #expect(try open(write("two.tar", pictures)).contentDigest == one)
    #expect(try open(write("three.tar", pictures.reversed())).contentDigest != one)
    let labelled = pictures + [("1.cls", Data("0".utf8)), ("2.cls", Data("1".utf8))]
    #expect(try open(write("four.tar", labelled)).contentDigest != one)
  }

  @Test func threadsReadTheSame() throws {
    let data = try IndexedImageDataset(
      path: shard("t.tar", 0..<20), layout: .tar, resolution: 8, cacheBytes: 800)
    DispatchQueue.concurrentPerform(iterations: 200) { turn in
      let index = turn * 7 % 20
      let image = try? data.image(index).image
      #expect(image?[1, 1] == [10 * index, 20, 30])
    }
  }

  // MARK: What is refused

  private func reason(_ error: (any Error)?, _ path: String) -> String {
    guard case ArchiveError.brokenTar(path, let reason)? = error else {
      return "\(String(describing: error))"
    }
    return reason
  }

  /// Wherever it ends.
  @Test func cutOff() throws {
    let whole = try Data(contentsOf: URL(fileURLWithPath: shard("whole.tar", 0..<3)))
    for size in stride(from: 0, to: whole.count - 1024, by: 300) {
      let path = try folder.write(whole.prefix(size), "cut.tar")
      let found = reason(error(path), path)
      #expect(found.contains("cut off") || found.contains("no tar"), "\(size): \(found)")
    }
  }

  /// The end is there, but an entry claims to reach beyond it.
  @Test func anEntryLongerThanTheFile() throws {
    var tar = TarBytes()
    tar.add("1.png", Data(count: 5000))
    let bytes = tar.finished
    let path = try folder.write(bytes.prefix(1024) + Data(count: 1024), "long.tar")
    #expect(reason(error(path), path) == "1.png is cut off")
  }

  @Test func damagedHeader() throws {
    var bytes = try Data(contentsOf: URL(fileURLWithPath: shard("whole.tar", 0..<3)))
    bytes[20] ^= 1
    let path = try folder.write(bytes, "damaged.tar")
    #expect(!reason(error(path), path).isEmpty)
    guard case ArchiveError.brokenTar? = error(path) else {
      Issue.record("found \(String(describing: error(path)))")
      return
    }
  }

  @Test func compressed() throws {
    let path = try folder.write(Fixtures.cifarArchive, "x.tar")
    #expect(reason(error(path), path).contains("gunzip"))
  }

  @Test func twoEntriesOfOneName() throws {
    let picture = try ImageFixtures.png(1)
    let path = try write("twice.tar", [("1.png", picture), ("1.png", picture)])
    #expect(reason(error(path), path) == "it has two entries 1.png")
  }

  @Test func twoPicturesOfOneSample() throws {
    let path = try write(
      "twice.tar", [("1.png", try ImageFixtures.png(1)), ("1.jpg", Fixtures.rgbJPEG)])
    #expect(reason(error(path), path) == "sample 1 has two images, 1.png and 1.jpg")
  }

  @Test func aLabelIsMissing() throws {
    let path = try write(
      "some.tar",
      [
        ("1.png", try ImageFixtures.png(1)), ("1.cls", Data("0".utf8)),
        ("2.png", try ImageFixtures.png(1)), ("2.json", Data("{}".utf8)),
      ])
    #expect(
      error(path)
        == DatasetError.missingLabel(
          path: path, name: "2.png", expected: "2.cls, or 2.json with a label"))
  }

  @Test(arguments: [
    ("1.cls", "cat"), ("1.cls", "-1"), ("1.cls", ""), ("1.cls", "99999999"),
    ("1.json", "{\"label\": \"3\"}"), ("1.json", "{\"label\": 1.5}"), ("1.json", "[1]"),
    ("1.json", "{"), ("1.json", "{\"label\": null}"),
  ]) func labelsThatAreNone(name: String, text: String) throws {
    let path = try write(
      "bad.tar", [("1.png", try ImageFixtures.png(1)), (name, Data(text.utf8))])
    guard case DatasetError.brokenLabels(let place, _)? = error(path) else {
      Issue.record("found \(String(describing: error(path)))")
      return
    }
    #expect(place == "\(path)/\(name)")
  }

  @Test func twoLabels() throws {
    let path = try write(
      "two.tar",
      [
        ("1.png", try ImageFixtures.png(1)), ("1.cls", Data("1".utf8)),
        ("1.json", Data("{\"label\": 2}".utf8)),
      ])
    #expect(
      error(path)
        == DatasetError.brokenLabels(path: "\(path)/1.json", reason: "the sample has label 1 too"))
  }

  @Test func withoutPictures() throws {
    let path = try write("none.tar", [("1.cls", Data("1".utf8))])
    #expect(error(path) == DatasetError.noImages(path: path, found: LeftOut([".cls": 1])))
    try folder.makeFolder("empty")
    #expect(error(folder.path + "/empty") == DatasetError.noImages(path: folder.path + "/empty"))
  }

  @Test func aBrokenHeaderIsFoundAtOpening() throws {
    let path = try write("broken.tar", [("1.jpg", Fixtures.rgbJPEG.prefix(100))])
    guard case ImageError.brokenImage(let place, _)? = error(path) else {
      Issue.record("found \(String(describing: error(path)))")
      return
    }
    #expect(place == "\(path)/1.jpg")
  }
}
