import Datasets
import ErrorSupport
import FileFormats
import FixtureSupport
import Foundation
import SystemSupport
import Testing

/// An archive unpacked once, seen through the address that other processes get.
@Suite struct StagedFilesTests {
  let folder: TemporaryFolder
  let archive: String

  init() throws {
    folder = try TemporaryFolder()
    archive = try folder.write(Fixtures.cifarArchive, "cifar-10-binary.tar.gz")
  }

  /// Names of shared memory that this process has mapped.
  private func mappings() throws -> [Substring] {
    // The kernel hands the text out piece by piece.
    let file = try #require(FileHandle(forReadingAtPath: "/proc/self/maps"))
    var bytes = Data()
    while let piece = try file.read(upToCount: 1 << 16), !piece.isEmpty { bytes += piece }
    return String(decoding: bytes, as: UTF8.self).split(separator: "\n")
      .compactMap { $0.split(separator: "/", maxSplits: 1).last }
      .filter { $0.hasPrefix("memfd:diffit-") }
  }

  private func name(of staged: StagedFiles) throws -> String {
    let place = try JSONSerialization.jsonObject(with: Data(staged.address)) as? [String: Any]
    return try #require(place?["name"] as? String)
  }

  @Test func theOthersSeeTheSameImages() throws {
    try CIFARFiles.write(to: folder, under: "bins")
    let reference = try CIFAR10Dataset(path: folder.path + "/bins")
    let staged = try #require(try CIFAR10Dataset.stage(path: archive))
    let other = try #require(StagedFiles(at: staged.address))
    for files in [staged, other] {
      let data = try CIFAR10Dataset(path: archive, staged: files)
      #expect(data.contentDigest == reference.contentDigest && data.count == 10)
      #expect(try data.image(7).image == reference.image(7).image)
    }
    // Who did not unpack has nothing to offer.
    #expect(other.address.isEmpty)
    let test = try #require(try CIFAR10Dataset.stage(path: archive, split: .test))
    #expect(try CIFAR10Dataset(path: archive, split: .test, staged: test).count == 2)
  }

  /// One file behind both, and the kernel frees it with the last of them.
  @Test func theMemoryIsOneAndGoesWithItsLastUser() throws {
    var staged = try CIFAR10Dataset.stage(path: archive)
    let name = try name(of: #require(staged))
    let address = try #require(staged?.address)
    var other = StagedFiles(at: address)
    #expect(other != nil)
    #expect(try mappings().count { $0.contains(name) } == 2)
    staged = nil
    // Its descriptor is closed: nobody new can come, and who is there stays.
    #expect(StagedFiles(at: address) == nil)
    #expect(try mappings().count { $0.contains(name) } == 1)
    #expect(try CIFAR10Dataset(path: archive, staged: other).count == 10)
    other = nil
    #expect(try mappings().allSatisfy { !$0.contains(name) })
  }

  @Test func aFolderIsNotStaged() throws {
    try CIFARFiles.write(to: folder, under: "bins")
    #expect(try CIFAR10Dataset.stage(path: folder.path + "/bins") == nil)
  }

  /// Another file with that number, another process, no process, no address.
  @Test func addressesThatLeadNowhere() throws {
    let staged = try #require(try CIFAR10Dataset.stage(path: archive))
    let text = String(decoding: staged.address, as: UTF8.self)
    let name = try name(of: staged)
    let process = "\"process\":\(getpid())"
    #expect(text.contains(process))
    for wrong in [
      text.replacingOccurrences(of: name, with: "diffit-other"),
      text.replacingOccurrences(of: process, with: "\"process\":1"),
      text.replacingOccurrences(of: process, with: "\"process\":-1"),
      "{}", "",
    ] {
      #expect(StagedFiles(at: Array(wrong.utf8)) == nil, "\(wrong)")
    }
    #expect(StagedFiles(at: staged.address) != nil)
  }

  @Test func whatIsWrongWithAnArchiveIsSaid() throws {
    let cut = try folder.write(Fixtures.cifarArchive.prefix(400), "cut.tar.gz")
    let broken = errorIfThrown {
      _ = try CIFAR10Dataset.stage(path: cut)
    }
    guard case ArchiveError.brokenArchive(cut, _)? = broken else {
      Issue.record("found \(String(describing: broken))")
      return
    }
    let none = folder.path + "/none.tar.gz"
    let missing = errorIfThrown {
      _ = try CIFAR10Dataset.stage(path: none)
    }
    #expect(missing == FileError.notFound(path: none))
    let other = errorIfThrown {
      _ = try StagedFiles(unpacking: archive, ["test_batch.bin", "readme.txt"], atMost: 1 << 20)
    }
    #expect(other == ArchiveError.missingEntry(archive: archive, name: "readme.txt"))
  }
}
