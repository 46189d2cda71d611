import Datasets
import ErrorSupport
import FileFormats
import FixtureSupport
import Foundation
import SystemSupport
import Testing

/// What can be read is used, and what is not used is counted by its kind.
@Suite struct LeftOutTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func write(_ bytes: Data, _ name: [UInt8]) throws {
    let parts = name.split(separator: 0x2F)
    var path = folder.path
    for part in parts.dropLast() {
      path += "/" + FileName.text(part)
      _ = FileName.withPath(path) { mkdir($0, 0o777) }
    }
    path += "/" + FileName.text(parts.last ?? [])
    let file = FileName.withPath(path) { open($0, O_CREAT | O_WRONLY | O_TRUNC, 0o666) }
    try #require(file >= 0)
    defer { close(file) }
    #expect(
      bytes.withUnsafeBytes { Foundation.write(file, $0.baseAddress, $0.count) } == bytes.count)
  }

  @Test func endings() throws {
    for (name, kind) in [
      ("0.png", ""), ("x.JFIF", ""), ("x.jpe", ""), ("photo", ""), ("x.webp", ".webp"),
      ("y.webp", ".webp"), ("x.bmp", ".bmp"), ("notes", "without an ending"),
      (".thumb.png", "hidden"),
      (".more/x.png", "hidden"),
    ] {
      let isImage = kind.isEmpty || kind == "hidden"
      try folder.write(isImage ? Fixtures.rgbJPEG : Data("x".utf8), "s/a/\(name)")
    }
    try folder.write(Fixtures.rgbPNG, "s/b/deep/er/1.png")
    try folder.write(Fixtures.rgbPNG, "s/b/0.apng")
    try folder.write(Data("x".utf8), "s/readme.txt")
    try FileManager.default.createSymbolicLink(
      atPath: folder.path + "/s/b/lost.png", withDestinationPath: "none.png")
    let source = try ImageSource(path: folder.path + "/s")
    #expect(source.kind == "folder" && source.classNames == ["a", "b"])
    #expect(
      try (0..<source.count).map { try source.label(of: $0) } == [0, 0, 0, 0, 1, 1])
    #expect(source.images.name(of: 5) == folder.path + "/s/b/deep/er/1.png")
    let left = LeftOut([
      ".webp": 2, ".bmp": 1, "without an ending": 1, "hidden": 2, ".txt": 1,
      "that are no files": 1,
    ])
    #expect(source.leftOut == left)
    #expect(
      left.text
        == "2 .webp, 2 hidden, 1 .bmp, 1 .txt, 1 that are no files, 1 without an ending")
    let data = try IndexedImageDataset(
      path: folder.path + "/s", layout: .folder, resolution: 8)
    #expect(data.leftOut == left && ImageSamples(data).leftOut == left)
    #expect(try ImageCollections.open(folder.path + "/s").leftOut == left)
    #expect(try ImageCollections.open(folder.path + "/s").count == 6)
  }

  @Test func manyKindsAreTold() {
    let many = LeftOut(Dictionary(uniqueKeysWithValues: (10..<20).map { (".\($0)", 1) }))
    #expect(many.text.hasPrefix("1 .10, 1 .11, ") && many.text.hasSuffix(", 2 of other kinds"))
    #expect(LeftOut().text.isEmpty && LeftOut().isEmpty)
  }

  /// Names in Latin-1, two of which differ only in such a byte.
  @Test func namesThatAreNoUTF8() throws {
    for name in ["a/0.png", "b/0.png"] { try folder.write(Fixtures.rgbPNG, name) }
    try write(ImageFixtures.png(1), Array("caf".utf8) + [0xE9] + Array("/0.png".utf8))
    try write(
      ImageFixtures.png(2),
      Array("caf".utf8) + [0xE8] + Array("/x".utf8) + [0xE9, 0x2E] + Array("png".utf8))
    let source = try ImageSource(path: folder.path)
    #expect(source.classNames.map(FileName.visible) == ["a", "b", "caf\\xE8", "caf\\xE9"])
    #expect(source.count == 4 && source.leftOut.isEmpty)
    let data = try IndexedImageDataset(path: folder.path, layout: .folder, resolution: 8)
    #expect(try data.image(2).image[0, 0] == [2, 20, 30])
    #expect(try data.image(3).image[0, 0] == [1, 20, 30] && data.image(3).label == 3)
    let files = try FolderImages(path: folder.path)
    #expect(files.count == 4 && FileName.visible(files.names[2]) == "caf\\xE8/x\\xE9.png")
    // Labels keep these names.
    let text = PackedLayout.labelFile(
      [(name: "0.png", label: 1)], classNames: ["a", source.classNames[3]])
    try folder.write(text, "p/dataset.json")
    try folder.write(Fixtures.rgbPNG, "p/0.png")
    #expect(try ImageSource(path: folder.path + "/p").classNames[1] == source.classNames[3])
  }

  @Test func imagesBesideClassFolders() throws {
    for name in ["a/0.png", "b/0.png", "cover.png"] { try folder.write(Fixtures.rgbPNG, name) }
    let error = thrownError { _ = try ImageSource(path: folder.path) }
    #expect(
      error
        == DatasetError.strayImages(path: folder.path, count: 1, first: "cover.png", folders: 2))
    // Where class folders are asked for, there is no doubt.
    let data = try IndexedImages(path: folder.path, layout: .folder)
    #expect(data.count == 2 && data.leftOut == LeftOut(["outside of class folders": 1]))
    // To be measured, they need no classes.
    #expect(try ImageCollections.open(folder.path).count == 3)
  }

  @Test func aClassWithoutAReadableImage() throws {
    try folder.write(Fixtures.rgbPNG, "a/0.png")
    try folder.write(Data("x".utf8), "b/0.webp")
    let error = thrownError { _ = try ImageSource(path: folder.path) }
    #expect(
      error == DatasetError.emptyClass(path: folder.path + "/b", found: LeftOut([".webp": 1])))
    #expect(error.map { "\($0)" }?.contains("has no image, found 1 .webp") == true)
  }

  @Test func aPackedSetBelow() throws {
    try folder.write(ImageFixtures.png(1), "set/" + PackedLayout.name(of: 0))
    try folder.write(Data("{\"labels\": null}".utf8), "set/dataset.json")
    let error = thrownError { _ = try ImageSource(path: folder.path) }
    #expect(error == DatasetError.labelsBelow(path: folder.path + "/set/dataset.json"))
  }

  /// The digest of a class whose name has letters beyond ASCII follows every letter of its images'
  /// names; that of older versions did not, and is still the same.
  @Test func digestsOfNamesBeyondASCII() throws {
    var digests: [[String]] = [[], []]
    for name in ["1.png", "2.png"] {
      try folder.write(Fixtures.rgbPNG, "\(name)/éa/\(name)")
      let images = try IndexedImages(path: "\(folder.path)/\(name)", layout: .folder)
      digests[0].append(try images.contentDigest())
      digests[1].append(try images.contentDigest(by: .old))
    }
    #expect(digests[0][0] != digests[0][1] && digests[1][0] == digests[1][1])
  }

  @Test func arraysWithClasses() throws {
    let path = folder.path + "/a.npz"
    let writer = try NPZWriter(path)
    try writer.add("arr_0", NumPyArray([UInt8](repeating: 7, count: 36), shape: [3, 2, 2, 3]))
    try writer.add("arr_1", NumPyArray([2, 0, 1], shape: [3]))
    try writer.finish()
    let source = try ImageSource(path: path)
    #expect(source.classNames == ["0", "1", "2"] && source.isLabelled)
    #expect(try (0..<3).map { try source.label(of: $0) } == [2, 0, 1])
    let wrong = try NPZWriter(path)
    try wrong.add("arr_0", NumPyArray([UInt8](repeating: 7, count: 36), shape: [3, 2, 2, 3]))
    try wrong.add("arr_1", NumPyArray([2, 0], shape: [2]))
    try wrong.finish()
    guard case DatasetError.brokenLabels? = thrownError(by: { _ = try ImageSource(path: path) })
    else {
      Issue.record("two labels for three images were taken")
      return
    }
  }
}
