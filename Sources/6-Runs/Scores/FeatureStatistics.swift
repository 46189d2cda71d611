import Collectives
import LinearAlgebra
import TensorCore

/// The sums behind a mean and a covariance, accumulated batch by batch.
///
/// x and x x^T are added up in f64, in blocks of a fixed number of rows: the bits depend neither on
/// the batches in which rows come nor on the number of threads. Between numbers of ranks they
/// differ only by rounding. Memory: 8 width^2 bytes (34 MB for 2048 features), and a block of rows.
package struct FeatureStatistics: Sendable {
  /// Rows whose outer products are added at once.
  private static let blockRows = 512

  /// Features per row.
  package let width: Int
  /// Number of rows so far.
  package private(set) var count = 0
  private var sums: [Double]
  /// Sums of outer products; the upper triangle counts.
  private var products: [Double]
  /// The rows that do not fill a block yet.
  private var pending: [Float] = []

  /// Starts without rows.
  package init(width: Int) {
    invariant(width > 0, "FeatureStatistics: width \(width)")
    self.width = width
    sums = [Double](repeating: 0, count: width)
    products = [Double](repeating: 0, count: width * width)
  }

  /// Adds rows [n, width].
  package mutating func add(_ rows: FeatureMatrix, on threads: ThreadPool) {
    invariant(rows.width == width, "FeatureStatistics: rows of \(rows.width) to rows of \(width)")
    count += rows.count
    let block = FeatureStatistics.blockRows * width
    var taken = 0
    while taken < rows.values.count {
      let end = min(taken + block - pending.count, rows.values.count)
      pending += rows.values[taken..<end]
      taken = end
      if pending.count == block { flush(on: threads) }
    }
  }

  /// The sums over all ranks' rows; collective.
  package func reduced(
    over communicator: any Communicator, on threads: ThreadPool
  ) throws(CommunicationError) -> FeatureStatistics {
    var all = self
    all.flush(on: threads)
    guard communicator.size > 1 else { return all }
    all.count = try communicator.sum(count)
    all.sums = try communicator.sum(all.sums)
    all.products = try communicator.sum(all.products)
    return all
  }

  /// Mean, and covariance divided by the number of rows less one.
  ///
  /// - Throws: `tooFewImages` below two rows, `nonFiniteStatistics` where a sum is not finite.
  package func gaussian(
    of side: MetricSide = .samples, on threads: ThreadPool
  ) throws -> FeatureGaussian {
    guard count >= 2 else {
      throw MetricsError.tooFewImages(
        metric: "Frechet distance", side: side, found: count, needed: 2)
    }
    var whole = self
    whole.flush(on: threads)
    let (images, width) = (Double(count), width)
    let mean = whole.sums.map { $0 / images }
    var covariance = whole.products
    covariance.withUnsafeMutableBufferPointer { covariance in
      for row in 0..<width {
        for column in row..<width {
          let value =
            (covariance[row * width + column] - whole.sums[row] * mean[column]) / (images - 1)
          covariance[row * width + column] = value
          covariance[column * width + row] = value
        }
      }
    }
    return try FeatureGaussian(mean: mean, covariance: covariance, count: count)
  }

  private mutating func flush(on threads: ThreadPool) {
    let (width, rows) = (width, pending.count / width)
    guard rows > 0 else { return }
    let block = pending.map(Double.init)
    pending.removeAll(keepingCapacity: true)
    sums.withUnsafeMutableBufferPointer { sums in
      for row in 0..<rows {
        for column in 0..<width { sums[column] += block[row * width + column] }
      }
    }
    products.withUnsafeMutableBufferPointer { products in
      block.withUnsafeBufferPointer { block in
        guard let to = products.baseAddress, let from = block.baseAddress else { return }
        Matrices.addProducts(of: from, count: rows, width: width, to: to, on: threads)
      }
    }
  }
}
