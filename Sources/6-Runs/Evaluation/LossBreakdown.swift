import CommandSupport

/// What the losses of a run are told apart by.
package enum LossBreakdown: Equatable, Sendable {
  case noiseLevels
  /// The parts of a loss, by name.
  case terms([String])

  /// Upper ends of the noise levels; the last level is open.
  package static let levels: [Double] = [0.03, 0.1, 0.3, 1, 3, 10]

  package static func level(of sigma: Double) -> Int {
    levels.firstIndex { sigma < $0 } ?? levels.count
  }

  package var names: [String] {
    if case .terms(let names) = self { names } else { [] }
  }

  /// A column a noise level; or a column a term, and one for the whole.
  package var count: Int {
    switch self {
    case .noiseLevels: Self.levels.count + 1
    case .terms(let names): names.count + 1
    }
  }
}

/// Losses of all ranks, added up.
package struct LossTotals {
  private let columns: LossBreakdown
  private let sums: [Double]
  private let counts: [Double]

  /// - Parameter totals: the sum of each column, then how many entries it has.
  package init(_ columns: LossBreakdown, _ totals: [Double]) {
    self.columns = columns
    sums = Array(totals.prefix(columns.count))
    counts = Array(totals.suffix(columns.count))
  }

  /// Of all images.
  package var mean: Double {
    let whole = columns == .noiseLevels ? 0..<columns.count : columns.count - 1..<columns.count
    return sums[whole].reduce(0, +) / counts[whole].reduce(0, +)
  }

  package var byNoiseLevel: [NoiseLevelLoss] {
    guard columns == .noiseLevels else { return [] }
    let levels = LossBreakdown.levels
    return counts.indices.map { level in
      NoiseLevelLoss(
        sigmaMin: level == 0 ? 0 : levels[level - 1],
        sigmaMax: level == levels.count ? .infinity : levels[level], images: Int(counts[level]),
        loss: counts[level] > 0 ? sums[level] / counts[level] : .nan)
    }
  }

  /// Means by name, where there were entries; nil where losses have no terms.
  package var terms: [String: Double]? {
    guard columns != .noiseLevels else { return nil }
    return columns.names.enumerated().reduce(into: [:]) { means, term in
      if counts[term.offset] > 0 { means[term.element] = sums[term.offset] / counts[term.offset] }
    }
  }
}

/// Mean loss of the images whose sigma lies in [`sigmaMin`, `sigmaMax`), in units of pixels in [-1, 1].
/// The last level has no end: `null`.
package struct NoiseLevelLoss: Codable, Equatable, Sendable {
  package var sigmaMin: Double
  @FiniteOrNull package var sigmaMax: Double
  package var images: Int
  /// `null` where no image of the tick fell here.
  @FiniteOrNull package var loss: Double

  package init(sigmaMin: Double, sigmaMax: Double, images: Int, loss: Double) {
    self.sigmaMin = sigmaMin
    self.sigmaMax = sigmaMax
    self.images = images
    self.loss = loss
  }

  package enum CodingKeys: String, CodingKey {
    case images, loss
    case sigmaMin = "sigma_min"
    case sigmaMax = "sigma_max"
  }
}
