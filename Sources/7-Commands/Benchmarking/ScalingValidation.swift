import CommandSupport
import SystemSupport

/// How far a fit is from points it has not seen.
package struct ScalingValidation: Codable, Equatable, Sendable {
  /// What was kept from the fit.
  package let heldOut: String
  /// Number of points that were kept from the fit.
  package let points: Int
  /// Median of |predicted - measured| / measured.
  package let medianError: Double
  /// The largest |predicted - measured| / measured.
  package let maxError: Double
  /// Of points of 1 MiB and more, which is what training sends; nil where there are none.
  package let maxErrorFrom1MiB: Double?

  enum CodingKeys: String, CodingKey {
    case points
    case heldOut = "held_out"
    case medianError = "median_error"
    case maxError = "max_error"
    case maxErrorFrom1MiB = "max_error_from_1_mib"
  }

  /// - Parameter points: at least one.
  package init(_ heldOut: String, _ model: RingModel, at points: [ScalingPoint]) {
    let errors = model.relativeErrors(at: points)
    let large = model.relativeErrors(at: points.filter { $0.bytes >= 1 << 20 })
    let spread = TimingSummary(of: errors)
    (self.heldOut, self.points) = (heldOut, points.count)
    (medianError, maxError, maxErrorFrom1MiB) = (spread.median, spread.max, large.max())
  }

  /// Every second size, and each number of ranks where others remain to fit.
  package static func all(_ points: [ScalingPoint]) -> [ScalingValidation] {
    let points = points.filter { $0.ranks > 1 }
    let counts = Set(points.map(\.ranks)).sorted()
    let sorted = counts.flatMap { count in
      points.filter { $0.ranks == count }.sorted { $0.bytes < $1.bytes }.enumerated()
    }
    var result: [ScalingValidation] = []
    let (even, odd) = (sorted.filter { $0.offset % 2 == 0 }, sorted.filter { $0.offset % 2 == 1 })
    if let model = RingModel(fitting: even.map(\.element)), !odd.isEmpty {
      result.append(ScalingValidation("every second size", model, at: odd.map(\.element)))
    }
    for count in counts where counts.count > 1 {
      guard let model = RingModel(fitting: points.filter { $0.ranks != count }) else { continue }
      result.append(
        ScalingValidation(
          Format.quantity(count, "rank"), model, at: points.filter { $0.ranks == count }))
    }
    return result
  }
}

/// A measured training step beside the predicted one, which did not enter the fit.
package struct ScalingStepCheck: Codable, Equatable, Sendable {
  /// Number of ranks.
  package let ranks: Int
  /// Seconds of the measured step.
  package let measuredSeconds: Double
  /// With messages after backward, and during it.
  package let plainSeconds: Double
  /// Seconds predicted with messages during backward.
  package let overlappedSeconds: Double

  enum CodingKeys: String, CodingKey {
    case ranks
    case measuredSeconds = "measured_seconds"
    case plainSeconds = "predicted_plain_seconds"
    case overlappedSeconds = "predicted_overlapped_seconds"
  }

  /// Nil for a measurement on one rank.
  package init?(_ measured: ScalingMeasurement, ring: RingModel, hiddenShare: Double) {
    guard let together = measured.together else { return nil }
    let model = ScalingModel(measured, hiddenShare: hiddenShare, ring: ring)
    ranks = measured.ranks
    measuredSeconds = together.seconds
    plainSeconds = measured.alone.seconds + model.communication(ranks: ranks)
    overlappedSeconds =
      measured.alone.seconds + model.exposed(ranks: ranks, batch: measured.batch)
  }
}
