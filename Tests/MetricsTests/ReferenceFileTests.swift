import Datasets
import FileFormats
import FixtureSupport
import Foundation
import Images
import Metrics
import Scores
import SystemSupport
import TensorCore
import Testing

/// A network with a name and widths, whose features nobody asks for.
private struct NamedNetwork: FeatureExtractor {
  var name = "inception"
  var digest = "d1"
  var protocolName = "tf1"
  var widths: [FeatureKind: Int] = [.pool2048: 4, .spatial2023: 3, .pool64: 2]

  func features(
    of images: [RGBImage], kinds: Set<FeatureKind>, on context: ComputeContext
  ) -> [FeatureKind: FeatureMatrix] { [:] }
}

private final class ReferenceFolder {
  let path = NSTemporaryDirectory() + "diffit-references-" + UUID().uuidString

  init() throws {
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  var file: String { path + "/reference.npz" }

  func write(_ arrays: [(String, NumPyArray)]) throws -> String {
    let npz = try NPZWriter(file)
    for (name, array) in arrays { try npz.add(name, array) }
    try npz.finish()
    return file
  }
}

private func golden(_ name: String) -> String {
  Repository.reference("arrays/\(name)").path
}

private func gaussian(
  _ width: Int, count: Int? = nil, scale: Double = 1
) throws -> FeatureGaussian {
  try FeatureGaussian(
    mean: (0..<width).map { scale * Double($0) / 3 },
    covariance: (0..<width * width).map { scale / Double($0 + 1) }, count: count)
}

/// The goldens' elements: 7 k % 23 - 5.
private func values(_ count: Int) -> [Double] { (0..<count).map { Double(7 * $0 % 23 - 5) } }

@Suite struct ReferenceFileTests {
  private let folder: ReferenceFolder

  init() throws { folder = try ReferenceFolder() }

  @Test func everyKindOfFeatureComesBack() throws {
    let statistics = ReferenceStatistics(
      [
        .pool2048: try gaussian(4, count: 50_000),
        .spatial2023: try gaussian(3, count: 50_000, scale: -2),
        .pool64: try gaussian(2, count: 50_000, scale: 5),
      ], madeBy: NamedNetwork())
    try ReferenceFile.write(statistics, to: folder.file)
    let read = try ReferenceFile.read(folder.file, for: NamedNetwork())
    #expect(read == statistics)
    #expect(read.count == 50_000 && read.network == "inception" && read.digest == "d1")
    #expect(
      try NPZFile(folder.file).names == [
        "mu", "sigma", "mu_64", "sigma_64", "mu_s", "sigma_s", "diffit_network", "diffit_digest",
        "diffit_protocol", "diffit_count",
      ])
    let first = try Data(contentsOf: URL(fileURLWithPath: folder.file))
    try ReferenceFile.write(statistics, to: folder.file)
    #expect(try Data(contentsOf: URL(fileURLWithPath: folder.file)) == first)
  }

  @Test func builtinNetwork() throws {
    let network = NamedNetwork(name: "builtin", widths: [.random: 5])
    let statistics = ReferenceStatistics([.random: try gaussian(5, count: 9)], madeBy: network)
    try ReferenceFile.write(statistics, to: folder.file)
    #expect(try ReferenceFile.read(folder.file, for: network) == statistics)
    #expect(ReferenceFile.holdsStatistics(folder.file))
    #expect(try ReferenceFile.images(folder.file) == nil)
  }

  /// Widths of the real network, with all kinds: 34 and 33 MB of covariances.
  @Test func realWidths() throws {
    let statistics = ReferenceStatistics([
      .pool2048: try gaussian(2048), .spatial2023: try gaussian(2023),
    ])
    try ReferenceFile.write(statistics, to: folder.file)
    #expect(try ReferenceFile.read(folder.file) == statistics)
  }

  @Test func admBatch() throws {
    let path = golden("adm.npz")
    let statistics = try ReferenceFile.read(path, for: NamedNetwork())
    #expect(statistics.gaussians.count == 2 && statistics.network == nil)
    let main = try #require(statistics.gaussians[.pool2048])
    #expect(main.mean == values(4) && main.covariance == values(16) && main.count == nil)
    let spatial = try #require(statistics.gaussians[.spatial2023])
    #expect(spatial.mean == values(3) && spatial.covariance == values(9))
    let images = try #require(try ReferenceFile.images(path))
    #expect(images.count == 5)
    #expect(try images.image(0).pixels == (0..<36).map { UInt8(37 * $0 % 256) })
  }

  @Test func floatsAreConverted() throws {
    let statistics = try ReferenceFile.read(golden("edm-f4.npz"), for: NamedNetwork())
    #expect(statistics.gaussians[.pool2048]?.covariance == values(16))
  }

  @Test func whatIsNoReference() {
    #expect(!ReferenceFile.holdsStatistics(golden("stored.npz")))
    #expect(!ReferenceFile.holdsStatistics(golden("f8.npy")))
    #expect(!ReferenceFile.holdsStatistics(folder.path))
  }
}

/// One bad reference a test.
@Suite struct ReferenceRejectionTests {
  private let folder: ReferenceFolder

  init() throws { folder = try ReferenceFolder() }

  private func error(
    _ path: String, _ network: NamedNetwork = NamedNetwork()
  ) -> ReferenceError? { fault(path, network) as? ReferenceError }

  /// What reading throws: of the reference, of the archive, or of the file system.
  private func fault(_ path: String, _ network: NamedNetwork = NamedNetwork()) -> (any Error)? {
    do {
      _ = try ReferenceFile.read(path, for: network)
    } catch {
      #expect(!"\(error)".contains("\n") && "\(error)".contains(path))
      return error
    }
    return nil
  }

  private static let mean = ("mu", NumPyArray(values(4), shape: [4]))
  private static let covariance = ("sigma", NumPyArray(values(16), shape: [4, 4]))

  @Test func noFile() {
    #expect(fault(folder.file) as? FileError == .notFound(path: folder.file))
  }

  @Test func meanMissing() throws {
    let path = try folder.write([Self.covariance])
    #expect(fault(path) as? ArchiveError == .missingArray(path: path, name: "mu", found: ["sigma"]))
  }

  @Test func covarianceMissing() throws {
    let path = try folder.write([Self.mean])
    #expect(fault(path) as? ArchiveError == .missingArray(path: path, name: "sigma", found: ["mu"]))
  }

  @Test func covarianceOfASecondKindMissing() throws {
    let path = try folder.write([
      Self.mean, Self.covariance, ("mu_s", NumPyArray(values(3), shape: [3])),
    ])
    #expect(
      fault(path) as? ArchiveError
        == .missingArray(path: path, name: "sigma_s", found: ["mu", "sigma", "mu_s"]))
  }

  @Test func meanThatIsNoVector() throws {
    let path = try folder.write([("mu", NumPyArray(values(4), shape: [2, 2])), Self.covariance])
    #expect(error(path) == .notVector(path: path, key: "mu", found: "float64 [2, 2]"))
  }

  @Test(arguments: [[16], [2, 8], [3, 3]]) func covarianceThatIsNotSquare(shape: [Int]) throws {
    let count = shape.reduce(1, *)
    let path = try folder.write([Self.mean, ("sigma", NumPyArray(values(count), shape: shape))])
    #expect(
      error(path) == .notSquare(path: path, key: "sigma", found: "float64 \(shape)", width: 4))
  }

  @Test(arguments: [Double.nan, .infinity]) func nonFinite(value: Double) throws {
    var numbers = values(16)
    numbers[7] = value
    let path = try folder.write([Self.mean, ("sigma", NumPyArray(numbers, shape: [4, 4]))])
    #expect(error(path) == .nonFinite(path: path, key: "sigma"))
  }

  @Test func otherWidth() throws {
    let path = try folder.write([Self.mean, Self.covariance])
    let network = NamedNetwork(widths: [.pool2048: 2048])
    #expect(error(path, network) == .wrongWidth(path: path, key: "mu", found: 4, expected: 2048))
  }

  @Test func otherNetwork() throws {
    let builtin = NamedNetwork(name: "builtin", widths: [.random: 4])
    try ReferenceFile.write(
      ReferenceStatistics([.random: try gaussian(4)], madeBy: builtin), to: folder.file)
    #expect(
      error(folder.file)
        == .otherNetwork(path: folder.file, found: "builtin", expected: "inception"))
  }

  @Test func unnamedIsInception() throws {
    let path = try folder.write([Self.mean, Self.covariance])
    let builtin = NamedNetwork(name: "builtin", widths: [.random: 4])
    #expect(
      error(path, builtin)
        == .otherNetwork(
          path: path, found: "inception (the file does not say)", expected: "builtin"))
  }

  @Test func otherWeights() throws {
    try ReferenceFile.write(
      ReferenceStatistics([.pool2048: try gaussian(4)], madeBy: NamedNetwork()), to: folder.file)
    #expect(
      error(folder.file, NamedNetwork(digest: "d2"))
        == .otherNetwork(path: folder.file, found: "inception d1", expected: "inception d2"))
  }

  @Test func otherProtocol() throws {
    try ReferenceFile.write(
      ReferenceStatistics([.pool2048: try gaussian(4)], madeBy: NamedNetwork()), to: folder.file)
    #expect(
      error(folder.file, NamedNetwork(protocolName: "clean"))
        == .otherProtocol(path: folder.file, found: "tf1", expected: "clean"))
  }

  @Test func nameThatIsNoText() throws {
    let path = try folder.write([
      Self.mean, Self.covariance, ("diffit_network", NumPyArray([1.0], shape: [1])),
    ])
    #expect(
      error(path) == .damagedField(path: path, key: "diffit_network", found: "float64 [1]"))
  }

  @Test func nameOfTwoLines() throws {
    let path = try folder.write([
      Self.mean, Self.covariance, ("diffit_network", NumPyArray(text: "a\nb")),
    ])
    #expect(error(path) == .damagedField(path: path, key: "diffit_network", found: "uint8 [3]"))
  }

  @Test func countThatIsNone() throws {
    let path = try folder.write([
      Self.mean, Self.covariance, ("diffit_count", NumPyArray([0], shape: [])),
    ])
    #expect(error(path) == .damagedField(path: path, key: "diffit_count", found: "int64 []"))
  }
}
