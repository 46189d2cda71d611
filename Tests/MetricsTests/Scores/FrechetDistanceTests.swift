import Metrics
import NumericsSupport
import Scores
import TensorCore
import Testing

@Suite struct FrechetDistanceTests {
  private let threads = threadPool(of: 2)

  private func gaussian(
    _ mean: [Double], _ covariance: [Double], count: Int? = nil
  ) throws -> FeatureGaussian {
    try FeatureGaussian(mean: mean, covariance: covariance, count: count)
  }

  private func fitted(_ rows: FeatureMatrix) throws -> FeatureGaussian {
    var statistics = FeatureStatistics(width: rows.width)
    statistics.add(rows, on: threads)
    return try statistics.gaussian(on: threads)
  }

  private func diagonal(_ values: [Double]) -> [Double] {
    let width = values.count
    return (0..<width * width).map { $0 % (width + 1) == 0 ? values[$0 / (width + 1)] : 0 }
  }

  @Test func oneDimension() throws {
    let distance = try FrechetDistance.between(
      gaussian([1], [9]), gaussian([3], [4]), on: threads)
    #expect(abs(distance - (4 + 9 + 4 - 12)) < 1e-12)
  }

  /// sum (m1 - m2)^2 + (s1 - s2)^2, wider than a tile and up to zero variances.
  @Test(arguments: [3, 300])
  func diagonalCovariances(width: Int) throws {
    let first = (0..<width).map { Double($0 % 7) }
    let second = (0..<width).map { Double($0 % 5) * 0.5 }
    let mean = (0..<width).map { Double($0 % 3) }
    let a = try gaussian(mean, diagonal(first.map { $0 * $0 }))
    let b = try gaussian(
      [Double](repeating: 0, count: width), diagonal(second.map { $0 * $0 }))
    var expected = 0.0
    for index in 0..<width {
      let apart = first[index] - second[index]
      expected += mean[index] * mean[index] + apart * apart
    }
    #expect(abs(try FrechetDistance.between(a, b, on: threads) - expected) < 1e-10 * expected)
  }

  /// The same axes, turned: S = R diag R^T with a reflection R = 1 - 2 v v^T.
  @Test func commutingCovariances() throws {
    let width = 40
    let length = (1...width).reduce(0) { $0 + Double($1 * $1) }.squareRoot()
    let axis = (1...width).map { Double($0) / length }
    func turned(_ values: [Double]) -> [Double] {
      var result = [Double](repeating: 0, count: width * width)
      for k in 0..<width {
        let column = (0..<width).map { ($0 == k ? 1 : 0) - 2 * axis[$0] * axis[k] }
        for row in 0..<width {
          for other in 0..<width {
            result[row * width + other] += values[k] * column[row] * column[other]
          }
        }
      }
      return result
    }
    let first = (0..<width).map { 1 + Double($0) }
    let second = (0..<width).map { 3 + Double($0 % 4) }
    let zero = [Double](repeating: 0, count: width)
    var expected = 0.0
    for (a, b) in zip(first, second) {
      let apart = a.squareRoot() - b.squareRoot()
      expected += apart * apart
    }
    let distance = try FrechetDistance.between(
      gaussian(zero, turned(first)), gaussian(zero, turned(second)), on: threads)
    #expect(abs(distance - expected) < 1e-11 * expected)
  }

  /// For 2 x 2 matrices tr (AB)^(1/2) = sqrt(tr AB + 2 sqrt(det AB)).
  @Test func covariancesThatDoNotCommute() throws {
    let (a, b) = ([4.0, 1, 1, 3], [2.0, -1, -1, 5])
    let trace = a[0] * b[0] + a[1] * b[2] + a[2] * b[1] + a[3] * b[3]
    let determinant = (a[0] * a[3] - a[1] * a[2]) * (b[0] * b[3] - b[1] * b[2])
    let expected = 14 - 2 * (trace + 2 * determinant.squareRoot()).squareRoot()
    let (first, second) = (try gaussian([0, 0], a), try gaussian([0, 0], b))
    #expect(abs(try FrechetDistance.between(first, second, on: threads) - expected) < 1e-12)
    #expect(abs(try FrechetDistance.between(second, first, on: threads) - expected) < 1e-12)
  }

  /// Two images span one dimension: S = d d^T / 2, and tr (S1 S2)^(1/2) = |d1.d2| / 2. sFID has 2023
  /// features.
  @Test(arguments: [70, 2023])
  func fewerImagesThanFeatures(width: Int) throws {
    let (first, second) = (randomRows(2, width, seed: 1), randomRows(2, width, seed: 2))
    let (a, b) = (try fitted(first), try fitted(second))
    func across(_ rows: FeatureMatrix) -> [Double] {
      (0..<width).map { Double(rows.values[$0]) - Double(rows.values[width + $0]) }
    }
    let (d1, d2) = (across(first), across(second))
    func product(_ a: [Double], _ b: [Double]) -> Double {
      zip(a, b).reduce(0) { $0 + $1.0 * $1.1 }
    }
    let shift = zip(a.mean, b.mean).map { $0 - $1 }
    let variances = (product(d1, d1) + product(d2, d2)) / 2
    let expected = product(shift, shift) + variances - abs(product(d1, d2))
    #expect(abs(try FrechetDistance.between(a, b, on: threads) - expected) < 1e-11 * expected)

    guard width < 100 else { return }
    // Where a file does not say how many images there were, rounding of the zero eigenvalues adds up.
    let unknown = try gaussian(a.mean, a.covariance)
    let other = try gaussian(b.mean, b.covariance)
    let distance = try FrechetDistance.between(unknown, other, on: threads)
    #expect(distance.isFinite && abs(distance - expected) < 1e-5 * expected)
  }

  @Test(arguments: [(400, 60), (30, 60), (2, 60)])
  func equalFeaturesAreAtDistanceZero(count: Int, width: Int) throws {
    let a = try fitted(randomRows(count, width, seed: 9))
    let distance = try FrechetDistance.between(a, a, on: threads)
    let scale = (0..<width).reduce(0) { $0 + a.covariance[$1 * (width + 1)] }
    #expect(distance >= 0 && distance < 1e-11 * scale)
  }

  @Test func covariancesOfZero() throws {
    let zero = [Double](repeating: 0, count: 9)
    let distance = try FrechetDistance.between(
      gaussian([1, 2, 3], zero), gaussian([1, 0, 3], zero), on: threads)
    #expect(distance == 4)
  }

  @Test func threadsDoNotShow() throws {
    let a = try fitted(randomRows(500, 280, seed: 11))
    let b = try fitted(randomRows(600, 280, seed: 12, scale: 1.2))
    let alone = try FrechetDistance.between(a, b, on: ThreadPool())
    #expect(try FrechetDistance.between(a, b, on: try! ThreadPool(threadCount: 3)) == alone)
  }

  @Test func widthsMustAgree() throws {
    let (a, b) = (try gaussian([1], [1]), try gaussian([1, 2], [1, 0, 0, 1]))
    #expect(
      throws: MetricsError.widthMismatch(metric: "Frechet distance", samples: 1, reference: 2)
    ) { try FrechetDistance.between(a, b, on: threads) }
  }

  @Test func oneImageHasNoCovariance() throws {
    let (a, b) = (try gaussian([1], [1], count: 9), try gaussian([1], [0], count: 1))
    #expect(
      throws: MetricsError.tooFewImages(
        metric: "Frechet distance", side: .reference, found: 1, needed: 2)
    ) { try FrechetDistance.between(a, b, on: threads) }
  }

  @Test func fewImagesAreWarnedOf() {
    #expect(FrechetDistance.warning(images: 2048) == nil)
    #expect(FrechetDistance.warning(images: 2047)?.hasPrefix("2047 images, below 2048") == true)
  }
}
