import Datasets
import FileFormats
import Scores
import TensorCore

/// Files of reference statistics, `.npz`.
///
/// | key | what |
/// | --- | --- |
/// | `mu` [d], `sigma` [d, d] | of the final features: Inception's 2048, or the built-in network's. EDM's keys |
/// | `mu_s`, `sigma_s` | of the spatial features, 2023 wide. ADM's keys |
/// | `mu_64`, `sigma_64` and so on | of other kinds of features |
/// | `diffit_network`, `diffit_digest`, `diffit_protocol` | the feature network; UTF-8 as uint8 |
/// | `diffit_count` | images, int64 [] |
/// | `arr_0` | in ADM's batches: the images themselves, uint8 [N, H, W, 3] |
///
/// EDM and ADM read the files written here and pass over keys they do not know. Floats are f64 when
/// written, f32 is accepted.
package enum ReferenceFile {
  private static let networkKey = "diffit_network"
  private static let digestKey = "diffit_digest"
  private static let protocolKey = "diffit_protocol"
  private static let countKey = "diffit_count"
  private static let builtinNetwork = "builtin"

  static func meanKey(_ kind: FeatureKind) -> String { "mu" + suffix(kind) }
  static func covarianceKey(_ kind: FeatureKind) -> String { "sigma" + suffix(kind) }

  private static func suffix(_ kind: FeatureKind) -> String {
    switch kind {
    case .pool2048, .random: ""
    case .spatial2023: "_s"
    default: "_" + kind.rawValue
    }
  }

  /// Whether a file is a .zip with `mu` and `sigma`; false also where it cannot be read.
  package static func holdsStatistics(_ path: String) -> Bool {
    guard let npz = try? NPZFile(path) else { return false }
    return npz.contains("mu") && npz.contains("sigma")
  }

  /// Reads statistics and refuses those of another network (`ReferenceStatistics.check`).
  package static func read(
    _ path: String, for extractor: some FeatureExtractor
  ) throws -> ReferenceStatistics {
    let statistics = try read(path)
    try statistics.check(against: extractor, path: path)
    return statistics
  }

  /// Reads statistics, no matter which network made them.
  package static func read(_ path: String) throws -> ReferenceStatistics {
    let npz = try NPZFile(path)
    let network = try text(npz, networkKey)
    let count = try count(npz)
    var gaussians: [FeatureKind: FeatureGaussian] = [:]
    for kind in FeatureKind.allCases {
      // `mu` holds one of two kinds; the other does not exist in this network.
      let isBuiltin = network == builtinNetwork
      if kind == (isBuiltin ? .pool2048 : .random) { continue }
      let isMain = kind == (isBuiltin ? .random : .pool2048)
      if isMain || npz.contains(meanKey(kind)) || npz.contains(covarianceKey(kind)) {
        gaussians[kind] = try gaussian(npz, kind, count: count)
      }
    }
    return ReferenceStatistics(
      gaussians, network: network, digest: try text(npz, digestKey),
      protocolName: try text(npz, protocolKey))
  }

  /// The images in an ADM batch, for metrics that compare single images; nil where there are none.
  package static func images(_ path: String) throws -> ArrayImages? {
    try NPZFile(path).contains("arr_0") ? ArrayImages(path: path) : nil
  }

  /// Writes statistics; equal statistics give equal bytes. An older file of this name stays until
  /// all is on disk.
  package static func write(
    _ statistics: ReferenceStatistics, to path: String
  ) throws {
    let gaussians = statistics.gaussians
    invariant(
      (gaussians[.pool2048] == nil) != (gaussians[.random] == nil),
      "ReferenceFile.write: a file holds features of one network, the final ones among them")
    let main: FeatureKind = gaussians[.random] == nil ? .pool2048 : .random
    let npz = try NPZWriter(path)
    for kind in [main] + FeatureKind.allCases.filter({ $0 != main }) {
      guard let gaussian = gaussians[kind] else { continue }
      let width = gaussian.width
      try npz.add(meanKey(kind), NumPyArray(gaussian.mean, shape: [width]))
      try npz.add(covarianceKey(kind), NumPyArray(gaussian.covariance, shape: [width, width]))
    }
    let fields = [
      (networkKey, statistics.network), (digestKey, statistics.digest),
      (protocolKey, statistics.protocolName),
    ]
    for (key, text) in fields {
      if let text { try npz.add(key, NumPyArray(text: text)) }
    }
    if let count = statistics.count { try npz.add(countKey, NumPyArray([count], shape: [])) }
    try npz.finish()
  }

  private static func gaussian(
    _ npz: NPZFile, _ kind: FeatureKind, count: Int?
  ) throws -> FeatureGaussian {
    let (meanKey, covarianceKey) = (meanKey(kind), covarianceKey(kind))
    let mean = try npz.array(meanKey)
    guard mean.shape.count == 1 && mean.count > 0 else {
      throw ReferenceError.notVector(path: npz.path, key: meanKey, found: mean.summary)
    }
    let covariance = try npz.array(covarianceKey)
    guard covariance.shape == [mean.count, mean.count] else {
      throw ReferenceError.notSquare(
        path: npz.path, key: covarianceKey, found: covariance.summary, width: mean.count)
    }
    do throws {
      return try FeatureGaussian(
        mean: mean.doubles, covariance: covariance.doubles, count: count)
    } catch {
      let isMean = !mean.doubles.allSatisfy(\.isFinite)
      throw ReferenceError.nonFinite(path: npz.path, key: isMean ? meanKey : covarianceKey)
    }
  }

  private static func text(_ npz: NPZFile, _ key: String) throws -> String? {
    guard let array = try npz.arrayIfPresent(key) else {
      return nil
    }
    // The text goes into messages of one line.
    guard let text = array.text, !text.isEmpty, text.utf8.count <= 200,
      text.unicodeScalars.allSatisfy({ $0.properties.generalCategory != .control })
    else { throw ReferenceError.damagedField(path: npz.path, key: key, found: array.summary) }
    return text
  }

  private static func count(_ npz: NPZFile) throws -> Int? {
    guard let array = try npz.arrayIfPresent(countKey)
    else { return nil }
    guard let numbers = array.integers, numbers.count == 1, numbers[0] > 0 else {
      throw ReferenceError.damagedField(path: npz.path, key: countKey, found: array.summary)
    }
    return numbers[0]
  }
}
