import LinearAlgebra
import TensorCore

/// The Frechet distance of two Gaussians; FID where they were fitted to features of Inception.
///
/// Source: Dowson and Landau, "The Frechet distance between multivariate normal distributions"
/// (1982), eq. (16); Heusel et al., arXiv:1706.08500, eq. (6).
package enum FrechetDistance {
  /// Images below which the distance is biased upwards enough to say so: the covariance of 2048
  /// features is singular there.
  package static let unbiasedFrom = 2048

  /// |m1 - m2|^2 + tr(S1 + S2 - 2 (S1 S2)^(1/2)), never negative and never complex.
  ///
  /// S1 S2 has the eigenvalues of A S2 A with A = S1^(1/2), which is symmetric: the trace of the
  /// root is the sum of sqrt(max(0, eigenvalue)). With S1 = V L V^T the same values come from
  /// L^(1/2) V^T S2 V L^(1/2), a product less. The covariance of N images has N - 1 eigenvalues at
  /// most that are not zero; where N is known to be small, the others, which rounding makes
  /// something like 1e-16 of the largest and the root 1e-8, are left out.
  ///
  /// Time: two decompositions, 10 width^3 operations or so, most of them on one thread; seconds for
  /// 2048 features. Memory: five matrices, 170 MB for 2048 features.
  ///
  /// - Throws: `widthMismatch`, `tooFewImages` where fewer than two images are known of,
  ///   `eigensolver`.
  package static func between(
    _ samples: FeatureGaussian, _ reference: FeatureGaussian, on threads: ThreadPool
  ) throws -> Double {
    guard samples.width == reference.width else {
      throw MetricsError.widthMismatch(
        metric: "Frechet distance", samples: samples.width, reference: reference.width)
    }
    for (side, count) in [(MetricSide.samples, samples.count), (.reference, reference.count)] {
      if let count, count < 2 {
        throw MetricsError.tooFewImages(
          metric: "Frechet distance", side: side, found: count, needed: 2)
      }
    }
    var apart = 0.0
    for (a, b) in zip(samples.mean, reference.mean) { apart += (a - b) * (a - b) }
    let root = try traceOfRoot(samples, reference, on: threads)
    return max(0, apart + samples.trace + reference.trace - 2 * root)
  }

  /// A warning for results of few images; nil where there are enough.
  package static func warning(images: Int) -> String? {
    guard images < unbiasedFrom else { return nil }
    return
      "\(images) images, below \(unbiasedFrom): the distance is biased upwards; compare it with"
      + " results of as many images only"
  }

  /// tr((S1 S2)^(1/2)), which is the same with S1 and S2 swapped.
  private static func traceOfRoot(
    _ a: FeatureGaussian, _ b: FeatureGaussian, on threads: ThreadPool
  ) throws -> Double {
    // The first one is decomposed into as many vectors as its rank can have.
    let (first, second) = a.largestRank <= b.largestRank ? (a, b) : (b, a)
    let (width, rank) = (first.width, first.largestRank)
    let (values, vectors) = try Matrices.eigen(first.covariance, width: width, vectors: true)
    var half = Array(vectors.suffix(rank * width))  // L^(1/2) V^T, the largest come last
    for row in 0..<rank {
      let factor = max(0, values[width - rank + row]).squareRoot()
      for column in 0..<width { half[row * width + column] *= factor }
    }
    let product = Matrices.product(
      half, second.covariance, transposed: false, rows: rank, columns: width, on: threads)
    let inner = Matrices.product(
      product, half, transposed: true, rows: rank, columns: rank, on: threads)
    return try Matrices.eigen(inner, width: rank, vectors: false).values
      .reduce(0) { $0 + max(0, $1).squareRoot() }
  }
}
