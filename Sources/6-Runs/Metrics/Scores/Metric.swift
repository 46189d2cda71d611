import Scores

/// The metrics of sample quality that are computed from features, by the names that settings and
/// results use.
///
/// The memory that a rank holds while N images are seen, and that the first rank needs to compute
/// the result:
///
/// | metric | features | while images are seen | result, for 50,000 images |
/// | --- | --- | --- | --- |
/// | `fid`, `fid64`, `fid192`, `fid768`, `sfid`, `fd_random` | 2048, 64, 192, 768, 2023, any | sums, 34 MB for 2048 features | 170 MB |
/// | `is`, `is_adm` | 1008 logits | 4 KB per image of the rank | 202 MB, all logits |
/// | `kid` | 2048 | 8 KB per image of the rank | 820 MB, samples and reference, and 33 MB per thread |
/// | `pr` | 2048 | as `kid`, shared with it | on each rank 16 MB, and 4 MB per thread |
package enum Metric: String, CaseIterable, Sendable {
  /// Frechet inception distance, from the 2048 final features.
  case fid
  /// The Frechet distance of 64 early features; defined for a few images.
  case fid64
  /// The Frechet distance of 192 early features.
  case fid192
  /// The Frechet distance of 768 features of the middle of the network.
  case fid768
  /// Inception score, with the splits of its authors.
  case inceptionScore = "is"
  /// Inception score, with the splits of ADM's evaluator.
  case inceptionScoreADM = "is_adm"
  /// Kernel inception distance.
  case kid
  /// Improved precision and recall.
  case precisionRecall = "pr"
  /// The Frechet distance of 2023 spatial features, as ADM's evaluator computes it.
  case sfid
  /// The Frechet distance of the built-in random network's features.
  case fdRandom = "fd_random"

  /// The features that it is computed from.
  package var features: FeatureKind {
    switch self {
    case .fid, .kid, .precisionRecall: .pool2048
    case .fid64: .pool64
    case .fid192: .pool192
    case .fid768: .mixed768
    case .inceptionScore, .inceptionScoreADM: .logits
    case .sfid: .spatial2023
    case .fdRandom: .random
    }
  }

  /// What of a reference it is compared with.
  package var referencePart: ReferencePart {
    switch self {
    case .inceptionScore, .inceptionScoreADM: .none
    case .kid, .precisionRecall: .rows
    case .fid, .fid64, .fid192, .fid768, .sfid, .fdRandom: .statistics
    }
  }

  /// Whether it is a Frechet distance, which needs only sums over the images.
  package var isFrechetDistance: Bool { referencePart == .statistics }

  /// The numbers of its result, in the order of `MetricResult.values`.
  package var numbers: [MetricNumber] {
    switch self {
    case .inceptionScore: [.init("is_mean", isHigherBetter: true), .init("is_std")]
    case .inceptionScoreADM: [.init("is_adm_mean", isHigherBetter: true), .init("is_adm_std")]
    case .kid: [.init("kid_mean"), .init("kid_std")]
    case .precisionRecall:
      [.init("precision", isHigherBetter: true), .init("recall", isHigherBetter: true)]
    case .fid, .fid64, .fid192, .fid768, .sfid, .fdRandom: [.init(rawValue)]
    }
  }

  /// The names of `numbers`, as settings and results write them.
  package var valueNames: [String] { numbers.map(\.name) }

  /// The least number of samples, and of reference images, that it is defined for.
  package func fewestImages(_ options: MetricOptions = MetricOptions()) -> Int {
    switch self {
    case .inceptionScore: options.inceptionScore.images
    case .inceptionScoreADM: InceptionScore.Options.adm.images
    case .kid: options.kernelDistance.subsetSize
    case .precisionRecall: options.neighbours + 1
    case .fid, .fid64, .fid192, .fid768, .sfid, .fdRandom: 2
    }
  }

  /// Checks a number of images before hours of sampling.
  ///
  /// - Throws: `MetricsError.tooFewImages`.
  package func require(
    _ images: Int, of side: MetricSide, _ options: MetricOptions = MetricOptions()
  ) throws {
    let needed = fewestImages(options)
    guard images >= needed || (side == .reference && referencePart == .none) else {
      throw MetricsError.tooFewImages(metric: rawValue, side: side, found: images, needed: needed)
    }
  }
}

/// One number of a metric's result.
package struct MetricNumber: Sendable, Equatable {
  /// As settings and results write it, `kid_mean`.
  package let name: String
  /// Whether a larger value is the better one.
  package let isHigherBetter: Bool

  /// Takes both as they are.
  package init(_ name: String, isHigherBetter: Bool = false) {
    (self.name, self.isHigherBetter) = (name, isHigherBetter)
  }
}

/// The metrics' constants. Results with other constants cannot be compared with published values.
package struct MetricOptions: Sendable, Equatable {
  /// The splits of `is`.
  package var inceptionScore = InceptionScore.Options()
  /// The subsets of `kid`.
  package var kernelDistance = KernelDistance.Options()
  /// k of precision and recall: an image's ball reaches to its k-th nearest neighbour.
  package var neighbours = 3

  /// The constants of published values.
  package init() {}
}

/// The result of one metric.
package struct MetricResult: Sendable, Equatable {
  /// Which metric it is of.
  package let metric: Metric
  /// In the order of `metric.numbers`.
  package let values: [Double]
  /// Number of samples, over all ranks.
  package let images: Int
  /// Number of reference images; nil where nothing is compared or the reference does not say.
  package let referenceImages: Int?
  /// What a reader of the numbers has to know, one line each.
  package let warnings: [String]

  /// The values with their names.
  package var named: [(name: String, value: Double)] {
    zip(metric.valueNames, values).map { (name: $0, value: $1) }
  }
}
