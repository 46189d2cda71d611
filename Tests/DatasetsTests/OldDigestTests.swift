import Datasets
import FixtureSupport
import Foundation
import Testing

/// Runs that were begun before digests were XXH3 are known by the digests that their manifests hold.
/// The digests here were printed by that version (commit 7cd5c53) for the same files.
@Suite struct OldDigestTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func expect(_ dataset: some ImageDataset, _ digest: String) throws {
    #expect(try dataset.contentDigest(by: DigestAlgorithm(of: digest)) == digest)
    #expect(dataset.contentDigest.wholeMatch(of: /xxh3:[0-9a-f]{32}/) != nil)
    let new = dataset.contentDigest
    #expect(try dataset.contentDigest(by: DigestAlgorithm(of: new)) == new)
  }

  @Test func drawnShapes() throws {
    try expect(ShapesDataset(resolution: 16), "868a557b828ffa4332aa1f1e0f2bd836")
  }

  @Test func records() throws {
    try CIFARFiles.write(to: folder, under: "bins")
    try expect(
      CIFAR10Dataset(path: "\(folder.path)/bins"), "d85e419ab7e487c6592d52ff75a92549")
  }

  @Test func filesInFoldersAndArchives() throws {
    for name in ["a/1.png", "b/2.png"] { try folder.write(Fixtures.rgbPNG, name) }
    for (path, digest) in [
      (folder.path, "fff12706ff7aa34edcf4ed9de0b5bbeb"),
      (ImageFixtures.path("deflated.zip"), "2f6838c95b21cb62567fefb6847599a0"),
    ] {
      let images = try #require(try IndexedImages(anyLayout: path))
      #expect(try images.contentDigest(by: .old) == digest)
      #expect(try images.contentDigest().hasPrefix("xxh3:"))
    }
  }

  /// A part is known by the whole's digest, so the same data have two digests of a part as well.
  @Test func aPartFollowsTheAlgorithmOfTheWhole() throws {
    let part = DatasetPart(of: ShapesDataset(resolution: 8, count: 20), 5..<10)
    let old = try part.contentDigest(by: .old)
    #expect(old.wholeMatch(of: /[0-9a-f]{32}/) != nil)
    #expect(
      try old
        != DatasetPart(of: ShapesDataset(resolution: 8, count: 20), 5..<11)
        .contentDigest(by: .old))
    #expect(part.contentDigest.hasPrefix("xxh3:"))
  }

  @Test func textsAreToldApart() {
    #expect(DigestAlgorithm(of: nil) == .xxh3 && DigestAlgorithm(of: "xxh3:00") == .xxh3)
    #expect(DigestAlgorithm(of: "00") == .old)
  }
}
