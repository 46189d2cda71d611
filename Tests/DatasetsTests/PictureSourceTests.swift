import Datasets
import ErrorSupport
import FileFormats
import FixtureSupport
import Foundation
import Images
import Testing

@Suite struct PictureSourceTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  /// Class folders in ILSVRC's way: mixed sizes and kinds, upper-case endings.
  @Test func ilsvrc() throws {
    try folder.write(Fixtures.rgbJPEG, "train/n01440764/n01440764_10.JPEG")
    try folder.write(Fixtures.greyJPEG, "train/n01440764/n01440764_9.JPEG")
    try folder.write(ImageFixtures.png(9, side: 50), "train/n01443537/n01443537_1.JPEG")
    let source = try ImageSource(path: folder.path + "/train")
    #expect(source.kind == "folder" && source.count == 3)
    #expect(source.classNames == ["n01440764", "n01443537"])
    #expect(try (0..<3).map { try source.label(of: $0) } == [0, 0, 1])
    #expect(source.images.name(of: 0).hasSuffix("train/n01440764/n01440764_10.JPEG"))
    #expect(try source.images.size(of: 2) == ImageSize(width: 50, height: 50))
    let data = try IndexedImageDataset(path: source.path, layout: .folder, resolution: 8)
    #expect(try data.image(2).image[7, 7] == [9, 20, 30])
  }

  @Test func aClassFolderWithoutImages() throws {
    try folder.write(Fixtures.rgbJPEG, "a/1.jpg")
    try folder.makeFolder("b")
    let error = errorIfThrown {
      _ = try ImageSource(path: folder.path)
    }
    #expect(error == DatasetError.emptyClass(path: folder.path + "/b"))
    #expect("\(error.map { "\($0)" } ?? "")".contains("has no image"))
  }

  @Test func cifar() throws {
    try CIFARFiles.write(to: folder, under: "cifar-10-batches-bin")
    let source = try ImageSource(path: folder.path)
    #expect(source.kind == "cifar10" && source.count == 10 && source.classNames.count == 10)
    #expect(try source.label(of: 3) == 3)
  }

  @Test func picturesWithoutClasses() throws {
    try folder.write(ImageFixtures.png(1), "1.png")
    try folder.write(ImageFixtures.png(2), "more/2.png")
    let source = try ImageSource(path: folder.path)
    #expect(source.kind == "images" && source.count == 2 && !source.isLabelled)
    #expect(try source.label(of: 0) == nil && source.contentDigest() == nil)
  }

  @Test func theListIsToldApart() throws {
    try folder.write(ImageFixtures.png(1), "s/a/1.png")
    try folder.write(ImageFixtures.png(2), "s/b/2.png")
    let path = folder.path + "/s"
    let first = try ImageSource(path: path).listDigest()
    // A picture that is mended in place leaves the list as it is.
    try folder.write(ImageFixtures.png(3), "s/b/2.png")
    #expect(try ImageSource(path: path).listDigest() == first)
    try folder.write(ImageFixtures.png(3), "s/b/3.png")
    #expect(try ImageSource(path: path).listDigest() != first)
  }

  @Test func whatIsOnePicturesFault() {
    #expect(ImageError.unknownImageFormat(path: "P").brokenImage != nil)
    #expect(
      ImageError.imageTooLarge(path: "P", width: 7, height: 9, limit: 5).brokenImage
        == "7 x 9 pixels, more than 5 in all")
    #expect(ImageError.brokenImage(path: "P", reason: "R").brokenImage == "R")
  }
}
