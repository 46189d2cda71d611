import Datasets
import ErrorSupport
import FileFormats
import FixtureSupport
import Foundation
import SystemSupport
import Testing

/// Links, names and labels in tars and zips.
@Suite struct ArchiveNamesTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func tar(_ fill: (inout TarBytes) throws -> Void) throws -> String {
    var tar = TarBytes()
    try fill(&tar)
    return try folder.write(tar.finished, "x.tar")
  }

  private func zip(_ entries: [(String, Data)]) throws -> String {
    let path = folder.path + "/x.zip"
    let zip = try ZipWriter(path)
    for (name, bytes) in entries { try zip.add(name, bytes) }
    try zip.finish()
    return path
  }

  private func labels(_ source: ImageSource) throws -> [Int?] {
    try (0..<source.count).map { try source.label(of: $0) }
  }

  /// Class 0 consists of links, as GNU tar makes them of files with several names.
  @Test(arguments: [true, false]) func linksInsideATar(isHard: Bool) throws {
    let path = try tar { tar in
      for index in 0..<2 {
        tar.add("s/\(index).png", try ImageFixtures.png(UInt8(10 + index)))
        tar.add("s/\(index).cls", "1")
      }
      for index in 0..<2 {
        let target = isHard ? "s/\(index).png" : "../s/./\(index).png"
        tar.link("t/\(index).png", to: target, isHard: isHard)
        tar.add("t/\(index).cls", "0")
      }
      tar.link("t/2.png", to: "1.png", isHard: false)
      tar.link("t/2.cls", to: "/t/0.cls", isHard: false)
    }
    let source = try ImageSource(path: path)
    #expect(source.classNames == ["0", "1"] && source.leftOut.isEmpty)
    #expect(try labels(source) == [1, 1, 0, 0, 0])
    let data = try IndexedImageDataset(path: path, layout: .tar, resolution: 8)
    #expect(try (0..<5).map { try data.image($0).image[0, 0][0] } == [10, 11, 10, 11, 11])
  }

  @Test func linksThatLeadNowhere() throws {
    let path = try tar { tar in
      tar.add("1.png", try ImageFixtures.png(1))
      tar.link("2.png", to: "none.png", isHard: true)
      tar.link("3.png", to: "4.png", isHard: false)
      tar.link("4.png", to: "3.png", isHard: false)
      tar.link("5.png", to: "../../etc/passwd", isHard: false)
      tar.add("6", Data(), type: "5")
    }
    let source = try ImageSource(path: path)
    #expect(source.count == 1)
    #expect(source.leftOut == LeftOut(["links that lead to no file in the tar": 4]))
  }

  @Test func labelsWithoutAnImage() throws {
    let path = try tar { tar in
      tar.add("1.png", try ImageFixtures.png(1))
      tar.add("1.cls", "1")
      tar.add("2.webp", "x")
      tar.add("2.cls", "0")
    }
    #expect(
      thrownError { _ = try ImageSource(path: path) }
        == DatasetError.brokenLabels(
          path: path + "/2.cls", reason: "no image in the tar belongs to it"))
  }

  @Test func aPackedSetInATar() throws {
    let path = try tar { tar in
      tar.add("00000/img00000000.png", try ImageFixtures.png(1))
      tar.add("dataset.json", "{\"labels\": [[\"00000/img00000000.png\", 1]]}")
    }
    guard
      case DatasetError.brokenLabels(path + "/dataset.json", let reason)? = thrownError(by: {
        _ = try ImageSource(path: path)
      })
    else {
      Issue.record("labels were lost")
      return
    }
    #expect(reason.contains("unpack the tar"))
  }

  @Test func namesWithSeveralPoints() throws {
    let path = try tar { tar in
      for index in 0..<3 {
        tar.add("frame.00\(index).png", try ImageFixtures.png(UInt8(index)))
        if index > 0 { tar.add("frame.00\(index).cls", "\(index)") }
      }
      tar.add("frame.cls", "3")
      tar.add("plain.png", try ImageFixtures.png(9))
      tar.add("plain.mask.png", try ImageFixtures.png(8))
      tar.add("plain.cls", "0")
      tar.add("plain.txt", "a caption")
    }
    let source = try ImageSource(path: path)
    #expect(try labels(source) == [3, 1, 2, 0])
    #expect(source.images.name(of: 1).hasSuffix("frame.001.png"))
    #expect(source.leftOut == LeftOut([".png": 1, ".txt": 1]))
    #expect(try source.images.image(3)[0, 0] == [9, 20, 30])
  }

  /// Two names that are not UTF-8, and two that only look equal.
  @Test func namesThatDifferInBytes() throws {
    let names: [[UInt8]] = [
      [0x63, 0xE8], [0x63, 0xE9], Array("caf\u{E9}".utf8), Array("cafe\u{301}".utf8),
    ]
    let path = try tar { tar in
      for (index, name) in names.enumerated() {
        tar.add(name + Array(".png".utf8), try ImageFixtures.png(UInt8(index)))
        tar.add(name + Array(".cls".utf8), Data("\(index)".utf8))
      }
    }
    let source = try ImageSource(path: path)
    #expect(try labels(source) == [0, 1, 2, 3])
    #expect(try source.images.image(1)[0, 0] == [1, 20, 30])

    let packed = try zip(
      names.enumerated().map { index, name in
        (FileName.text(name + Array(".png".utf8)), try ImageFixtures.png(UInt8(index)))
      } + [
        (
          "dataset.json",
          PackedLayout.labelFile(
            names.enumerated().map { (FileName.text($1 + Array(".png".utf8)), $0) },
            classNames: ["0", "1", "2", "3"])
        )
      ])
    let both = try ImageSource(path: packed)
    #expect(both.count == 4 && both.classNames.count == 4)
    for index in 0..<4 {
      let label = try #require(try both.label(of: index))
      #expect(try both.images.image(index)[0, 0] == [label, 20, 30])
    }
  }

  @Test func labelsInAFolderOfAZip() throws {
    let labels = Data("{\"labels\": [[\"0/a.png\", 1], [\"0/b.png\", 0]]}".utf8)
    let images = [
      ("set/0/a.png", try ImageFixtures.png(1)), ("set/0/b.png", try ImageFixtures.png(2)),
    ]
    let source = try ImageSource(
      path: zip(images + [("set/dataset.json", labels), ("set/notes.txt", Data())]))
    #expect(try self.labels(source) == [1, 0])
    #expect(source.leftOut == LeftOut([".txt": 1]))
    let apart = try zip(
      images + [("set/dataset.json", labels), ("other/c.png", try ImageFixtures.png(3))])
    #expect(
      thrownError { _ = try ImageSource(path: apart) }
        == DatasetError.brokenLabels(
          path: apart + "/set/dataset.json", reason: "there are images outside of its folder"))
  }

  /// As an archive of a Mac: names decomposed, labels composed.
  @Test func labelsOfNamesThatOnlyLookEqual() throws {
    let labels = Data("{\"labels\": [[\"caf\u{E9}.png\", 1], [\"b.png\", 0]]}".utf8)
    let source = try ImageSource(
      path: zip([
        ("cafe\u{301}.png", try ImageFixtures.png(1)), ("b.png", try ImageFixtures.png(2)),
        ("dataset.json", labels),
      ]))
    #expect(try self.labels(source) == [0, 1])
  }

  @Test func whatIsLeftOutOfAZip() throws {
    let path = try zip([
      ("a.png", try ImageFixtures.png(1)), ("b.jfif", Fixtures.rgbJPEG), ("c", Fixtures.rgbJPEG),
      ("d.gif", Data("x".utf8)), ("__MACOSX/._a.png", Data("x".utf8)), ("e", Data("x".utf8)),
    ])
    let source = try ImageSource(path: path)
    let left = LeftOut([".gif": 1, "hidden": 1, "without an ending": 1])
    #expect(source.count == 3 && source.leftOut == left)
    #expect(try ArchiveImages(path: path).leftOut == left)
  }

  /// `\n` and a slash before a combining letter are no end of a part of a path.
  @Test func partsOfPathsAreBytes() throws {
    let path = try tar { tar in
      tar.add("a/\u{301}x.png", try ImageFixtures.png(1))
      tar.add("a/\u{301}x.cls", "1")
      tar.add("b/\u{301}y.png", try ImageFixtures.png(2))
      tar.add("b/\u{301}y.cls", "0")
    }
    #expect(try labels(ImageSource(path: path)) == [1, 0])
  }
}
