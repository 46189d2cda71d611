import Datasets
import FileFormats
import FixtureSupport
import Foundation
import Testing

/// Damaged files of every kind that is read as data: each is read, or refused in one line with its
/// path, in bounded time and memory. A trap ends the tests.
///
/// By default 300 damaged files per reader; `DIFFIT_FUZZ=2000` asks for more.
@Suite(.serialized) struct ReaderFuzzTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private static let count =
    ProcessInfo.processInfo.environment["DIFFIT_FUZZ"].flatMap { Int($0) } ?? 300
  /// Seconds that one file may take.
  private static let seconds = 10.0
  /// Bytes of memory beyond what the tests had before.
  private static let memory = 1 << 30

  /// The most memory that the process ever had, in bytes.
  private static var peak: Int {
    var usage = rusage()
    getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
    return usage.ru_maxrss * 1024
  }

  private func fuzz(
    _ name: String, _ corpus: [Data], sealing: (inout Data) -> Void = { _ in },
    _ read: (String) throws -> Void
  ) throws {
    var mutations = Mutations(seed: UInt64(name.utf8.reduce(7) { $0 &* 31 &+ Int($1) }))
    let before = Self.peak
    var (refused, slowest) = (0, 0.0)
    for data in corpus {
      // The undamaged file is read, or nothing would be tested.
      let path = try folder.write(data, name)
      try read(path)
    }
    for index in 0..<Self.count {
      var damaged = mutations.changed(corpus[index % corpus.count])
      // Half of the files have right checksums, so that what lies behind these is reached.
      if index / corpus.count % 2 == 0 { sealing(&damaged) }
      let path = try folder.write(damaged, name)
      let begun = Date()
      do {
        try read(path)
      } catch {
        refused += 1
        let line = "\(error)"
        #expect(
          !line.isEmpty && !line.contains("\n") && line.contains(folder.path)
            && line.utf8.count < 4000,
          "\(name), file \(index): \(line)")
      }
      slowest = max(slowest, Date().timeIntervalSince(begun))
    }
    let grown = Self.peak - before
    #expect(slowest < Self.seconds && grown < Self.memory)
    #expect(refused > 0)
    print(
      "fuzz \(name): \(Self.count) files, \(refused) refused, slowest"
        + " \(String(format: "%.2f", slowest)) s, \(grown >> 20) MiB more")
  }

  private func goldens(_ ending: String) throws -> [Data] {
    let kinds = try NPZFile(ImageFixtures.path("kinds.npz"))
    return try kinds.names.filter { $0.hasSuffix(ending) }.map { Data(try kinds.array($0).bytes) }
  }

  @Test func png() throws {
    try fuzz("x.png", goldens(".png"), sealing: Seals.png) { _ = try ImageFile.read($0) }
  }

  @Test func jpeg() throws {
    try fuzz("x.jpg", goldens(".jpg")) { _ = try ImageFile.read($0) }
  }

  /// Orientation, in all places where it may stand.
  @Test func exif() throws {
    let kinds = try NPZFile(ImageFixtures.path("kinds.npz"))
    let turned = try kinds.names.filter { $0.hasPrefix("turned-") && $0.contains(".") }
      .map { Data(try kinds.array($0).bytes) }
    try fuzz("exif.img", turned, sealing: Seals.png) { path in
      _ = try EncodedImage(path: path).size()
    }
  }

  @Test func pngRecords() throws {
    try fuzz("whole.png", [Fixtures.rgbPNG, Fixtures.palettePNG]) { path in
      guard ImageFile.isWholePNG(path) else { throw ImageError.unknownImageFormat(path: path) }
    }
  }

  private func readAll(_ path: String) throws {
    let source = try ImageSource(path: path)
    _ = try source.listDigest()
    _ = try source.contentDigest()
    for index in 0..<min(source.count, 8) {
      _ = try source.label(of: index)
      _ = try source.images.image(index)
    }
  }

  @Test func zip() throws {
    let deflated = try Data(contentsOf: URL(fileURLWithPath: ImageFixtures.path("deflated.zip")))
    let path = folder.path + "/stored.zip"
    let writer = try ZipWriter(path, wideFrom: 200)
    for index in 0..<3 { try writer.add(PackedLayout.name(of: index), Fixtures.rgbPNG) }
    let labels = (0..<3).map { (name: PackedLayout.name(of: $0), label: $0) }
    try writer.add(
      PackedLayout.labelFileName, PackedLayout.labelFile(labels, classNames: ["a", "b", "é"]))
    try writer.finish()
    let stored = try Data(contentsOf: URL(fileURLWithPath: path))
    try fuzz("x.zip", [deflated, stored], readAll)
  }

  @Test func npz() throws {
    let names = ["adm.npz", "deflated.npz", "stored.npz"]
    let files = try names.map {
      try Data(contentsOf: URL(fileURLWithPath: ArrayFixtures.path($0)))
    }
    try fuzz("x.npz", files) { path in
      let file = try NPZFile(path)
      for name in file.names { _ = try file.array(name) }
      if file.contains("arr_0") { try readAll(path) }
    }
  }

  @Test func npy() throws {
    let names = ["images.npy", "big-fortran.npy", "f4.npy", "version-3.npy", "u1.npy"]
    let files = try names.map {
      try Data(contentsOf: URL(fileURLWithPath: ArrayFixtures.path($0)))
    }
    try fuzz("x.npy", files) { _ = try NumPyArray.read($0) }
    try fuzz("images.npy", [files[0]], readAll)
  }

  @Test func labels() throws {
    let pairs = (0..<3).map { (name: "\($0).png", label: $0) }
    let json = PackedLayout.labelFile(pairs, classNames: ["a", "b", "c"])
    for index in 0..<3 { try folder.write(Fixtures.rgbPNG, "set/\(index).png") }
    let set = folder.path + "/set"
    try fuzz("set/dataset.json", [json]) { _ in _ = try IndexedImages(path: set, layout: .packed) }
  }

  @Test func tar() throws {
    var tar = TarBytes()
    for index in 0..<3 {
      tar.add("a/\(index).png", Fixtures.rgbPNG)
      tar.add("a/\(index).cls", "\(index)")
      tar.link(
        "b/\(index).png", to: index == 0 ? "a/0.png" : "../a/\(index).png", isHard: index == 0)
      tar.add("b/\(index).json", "{\"label\": \(index)}")
    }
    try fuzz("x.tar", [tar.finished], sealing: Seals.tar, readAll)
  }

  @Test func cifar() throws {
    try fuzz("x.tar.gz", [Fixtures.cifarArchive]) { path in
      _ = try CIFAR10Dataset(path: path, split: .test)
    }
    var tar = TarBytes()
    for split in CIFAR10Dataset.Split.allCases {
      for name in split.fileNames { tar.add(name, Data(count: 3073)) }
    }
    try fuzz("plain.tar.gz", [tar.finished], sealing: Seals.tar) { path in
      _ = try CIFAR10Dataset(path: path)
    }
    try fuzz("test_batch.bin", [Data(count: 2 * 3073)]) { _ = try CIFAR10Dataset(file: $0) }
  }
}
