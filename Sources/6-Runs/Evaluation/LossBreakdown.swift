import CommandSupport

/// How a run's loss is broken down: by noise level, or by the terms of the loss.
package enum LossBreakdown: Equatable, Sendable {
  /// By the noise level of each image.
  case noiseLevels
  /// By the terms of the loss, which have these names.
  case terms([String])

  /// Upper ends (sigma) of the noise levels; one more level above them has no end.
  package static let levels: [Double] = [0.03, 0.1, 0.3, 1, 3, 10]

  /// The index of the level that holds `sigma`.
  package static func level(of sigma: Double) -> Int {
    levels.firstIndex { sigma < $0 } ?? levels.count
  }

  /// The names of the terms; empty for noise levels.
  package var names: [String] {
    if case .terms(let names) = self { names } else { [] }
  }

  /// Number of columns: one per noise level; or one per term, and one for the whole loss.
  package var count: Int {
    switch self {
    case .noiseLevels: Self.levels.count + 1
    case .terms(let names): names.count + 1
    }
  }
}

/// The losses of all ranks, added up.
package struct LossTotals {
  private let columns: LossBreakdown
  private let sums: [Double]
  private let counts: [Double]

  /// Takes the sums as they are.
  ///
  /// - Parameter totals: the sum of each column, then the number of its entries.
  package init(_ columns: LossBreakdown, _ totals: [Double]) {
    self.columns = columns
    sums = Array(totals.prefix(columns.count))
    counts = Array(totals.suffix(columns.count))
  }

  /// Mean loss of all images.
  package var mean: Double {
    let whole = columns == .noiseLevels ? 0..<columns.count : columns.count - 1..<columns.count
    return sums[whole].reduce(0, +) / counts[whole].reduce(0, +)
  }

  /// Mean losses by noise level, the lowest first; empty where losses have terms.
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

  /// Mean of each term that has entries, by name; nil for noise levels.
  package var terms: [String: Double]? {
    guard columns != .noiseLevels else { return nil }
    return columns.names.enumerated().reduce(into: [:]) { means, term in
      if counts[term.offset] > 0 { means[term.element] = sums[term.offset] / counts[term.offset] }
    }
  }
}

/// The mean loss of the images whose sigma lies in [`sigmaMin`, `sigmaMax`), for pixels in [-1, 1].
package struct NoiseLevelLoss: Codable, Equatable, Sendable {
  /// Lower end, which belongs to the level.
  package var sigmaMin: Double
  /// Upper end, which does not; infinite for the last level, `null` in JSON.
  @FiniteOrNull package var sigmaMax: Double
  /// Number of images.
  package var images: Int
  /// Their mean loss; not a number where there are none, `null` in JSON.
  @FiniteOrNull package var loss: Double

  /// Takes the values as they are.
  package init(sigmaMin: Double, sigmaMax: Double, images: Int, loss: Double) {
    self.sigmaMin = sigmaMin
    self.sigmaMax = sigmaMax
    self.images = images
    self.loss = loss
  }

  /// The names in JSON.
  package enum CodingKeys: String, CodingKey {
    case images, loss
    case sigmaMin = "sigma_min"
    case sigmaMax = "sigma_max"
  }
}
