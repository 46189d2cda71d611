import Foundation
import LinearAlgebra

/// How long a sum over p ranks of a buffer of S bytes takes where it goes round a ring:
///
///     T = 2 (p - 1) a + 2 (p - 1) / p S / B + c S
///
/// Source: Patarasuk and Yuan, "Bandwidth optimal all-reduce algorithms for clusters of
/// workstations", J. Parallel Distrib. Comput. 69 (2009), with a cost per byte that does not depend
/// on p: copies and additions inside a rank.
package struct RingModel: Codable, Equatable, Sendable {
  /// a: seconds per message.
  package var latency: Double
  /// 1 / B: seconds per byte; 0: the link takes no time that shows.
  package var linkSecondsPerByte: Double
  /// c: seconds per byte inside a rank.
  package var ownSecondsPerByte: Double

  enum CodingKeys: String, CodingKey {
    case latency = "latency_seconds"
    case linkSecondsPerByte = "link_seconds_per_byte"
    case ownSecondsPerByte = "own_seconds_per_byte"
  }

  /// A model with known constants, in seconds, and in seconds per byte.
  package init(latency: Double, linkSecondsPerByte: Double, ownSecondsPerByte: Double) {
    (self.latency, self.ownSecondsPerByte) = (latency, ownSecondsPerByte)
    self.linkSecondsPerByte = linkSecondsPerByte
  }

  /// Seconds of a sum of a buffer of `bytes` bytes; 0 on one rank.
  package func seconds(ranks: Int, bytes: Int) -> Double {
    guard ranks > 1 else { return 0 }
    return zip(RingModel.terms(ranks: ranks, bytes: bytes), coefficients).reduce(0) {
      $0 + $1.0 * $1.1
    }
  }

  private var coefficients: [Double] { [latency, linkSecondsPerByte, ownSecondsPerByte] }

  /// What a, 1 / B and c are multiplied with.
  private static func terms(ranks: Int, bytes: Int) -> [Double] {
    let (p, size) = (Double(ranks), Double(bytes))
    return [2 * (p - 1), 2 * (p - 1) / p * size, size]
  }
}

/// A sum that was timed.
package struct ScalingPoint: Equatable, Sendable {
  /// Number of ranks that took part.
  package let ranks: Int
  /// Size of each rank's buffer.
  package let bytes: Int
  /// Time of the sum.
  package let seconds: Double

  /// A sum of `bytes` bytes over `ranks` ranks that took `seconds`.
  package init(ranks: Int, bytes: Int, seconds: Double) {
    (self.ranks, self.bytes, self.seconds) = (ranks, bytes, seconds)
  }
}

extension RingModel {
  /// The model with the least sum of squares of log(predicted / measured) and no negative
  /// coefficient: small and large sums count alike, and twice the time as much as half of it. Nil
  /// without points on several ranks. c can be told from 1 / B only where numbers of ranks differ:
  /// else it is 0, and what it costs is in B.
  package init?(fitting points: [ScalingPoint]) {
    let points = points.filter { $0.ranks > 1 }
    let unknowns = Set(points.map(\.ranks)).count > 1 ? 3 : 2
    func error(_ model: RingModel) -> Double {
      model.logErrors(at: points).reduce(0) { $0 + $1 * $1 }
    }
    // Gauss-Newton from the least relative error, which is where it ends if all points agree.
    guard var model = RingModel(points, linearAt: points.map(\.seconds), unknowns: unknowns) else {
      return nil
    }
    var best = model
    for _ in 0..<50 {
      guard let next = RingModel(points, following: model, unknowns: unknowns) else { break }
      let isStill = zip(next.coefficients, model.coefficients).allSatisfy {
        abs($0 - $1) <= 1e-12 * $1
      }
      model = next
      if error(model) < error(best) { best = model }
      if isStill { break }
    }
    self = best
  }

  /// Least squares of `T / measured - 1`.
  private init?(_ points: [ScalingPoint], linearAt seconds: [Double], unknowns: Int) {
    self.init(
      points, scales: seconds, targets: [Double](repeating: 1, count: points.count),
      unknowns: unknowns)
  }

  /// A step of Gauss-Newton from `model`; no point asks for more than a factor of e.
  private init?(_ points: [ScalingPoint], following model: RingModel, unknowns: Int) {
    self.init(
      points, scales: points.map { model.seconds(ranks: $0.ranks, bytes: $0.bytes) },
      targets: model.logErrors(at: points).map { 1 - min(max($0, -1), 1) }, unknowns: unknowns)
  }

  /// Least squares of `T / scale - target`. Few unknowns: every set of those that are not zero is
  /// tried.
  private init?(_ points: [ScalingPoint], scales: [Double], targets: [Double], unknowns: Int) {
    let rows = zip(points, scales).map { point, scale in
      RingModel.terms(ranks: point.ranks, bytes: point.bytes).map { $0 / scale }
    }
    var best: (error: Double, solution: [Double])?
    for set in 1..<(1 << unknowns) {
      let columns = (0..<unknowns).filter { set >> $0 & 1 == 1 }
      let chosen = rows.map { row in columns.map { row[$0] } }
      guard let found = LeastSquares.solve(chosen, targets: targets), found.allSatisfy({ $0 >= 0 })
      else { continue }
      let error = zip(chosen, targets).reduce(0) { sum, pair in
        let residual = zip(pair.0, found).reduce(-pair.1) { $0 + $1.0 * $1.1 }
        return sum + residual * residual
      }
      if error < best?.error ?? .infinity {
        var all = [0.0, 0.0, 0.0]
        for (column, value) in zip(columns, found) { all[column] = value }
        best = (error, all)
      }
    }
    guard let best = best?.solution else { return nil }
    self.init(latency: best[0], linkSecondsPerByte: best[1], ownSecondsPerByte: best[2])
  }

  private func logErrors(at points: [ScalingPoint]) -> [Double] {
    points.map { log(seconds(ranks: $0.ranks, bytes: $0.bytes) / $0.seconds) }
  }

  /// |predicted - measured| / measured
  package func relativeErrors(at points: [ScalingPoint]) -> [Double] {
    points.map { abs(seconds(ranks: $0.ranks, bytes: $0.bytes) - $0.seconds) / $0.seconds }
  }
}
