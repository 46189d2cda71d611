/// What a metric is compared with.
package enum ReferenceNeed: String, Sendable {
  /// Nothing.
  case none
  /// Mean and covariance.
  case statistics
  /// Every image's features.
  case rows
}

/// The measures of sample quality, by the names that settings and results use.
///
/// What a rank holds while N images are seen, and what the first rank needs to compute the result:
///
/// | metric | features | while images are seen | result, for 50,000 images |
/// | --- | --- | --- | --- |
/// | `fid`, `fid64`, `fid192`, `fid768`, `sfid`, `fd_random` | 2048, 64, 192, 768, 2023, any | sums, 34 MB for 2048 features | 170 MB |
/// | `is`, `is_adm` | 1008 logits | 4 KB an image of the rank | 202 MB, all logits |
/// | `kid` | 2048 | 8 KB an image of the rank | 820 MB, samples and reference, and 33 MB a thread |
/// | `pr` | 2048 | as `kid`, shared with it | on each rank 16 MB, and 4 MB a thread |
package enum Metric: String, CaseIterable, Sendable {
  case fid
  case fid64
  case fid192
  case fid768
  case inceptionScore = "is"
  case inceptionScoreADM = "is_adm"
  case kid
  case precisionRecall = "pr"
  case sfid
  case fdRandom = "fd_random"

  /// - Throws: `unknownMetric`.
  package init(named name: String) throws {
    guard let metric = Metric(rawValue: name) else { throw MetricsError.unknownMetric(name: name) }
    self = metric
  }

  /// What it is made of.
  package var tap: FeatureTap {
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

  package var need: ReferenceNeed {
    switch self {
    case .inceptionScore, .inceptionScoreADM: .none
    case .kid, .precisionRecall: .rows
    case .fid, .fid64, .fid192, .fid768, .sfid, .fdRandom: .statistics
    }
  }

  /// Whether it is a Frechet distance, made of sums alone.
  package var isFrechetDistance: Bool { need == .statistics }

  /// The names of its numbers in a result.
  package var valueNames: [String] {
    switch self {
    case .inceptionScore: ["is_mean", "is_std"]
    case .inceptionScoreADM: ["is_adm_mean", "is_adm_std"]
    case .kid: ["kid_mean", "kid_std"]
    case .precisionRecall: ["precision", "recall"]
    case .fid, .fid64, .fid192, .fid768, .sfid, .fdRandom: [rawValue]
    }
  }

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

  /// To be asked before hours of sampling.
  ///
  /// - Throws: `tooFewImages`.
  package func require(
    _ images: Int, of side: MetricSide, _ options: MetricOptions = MetricOptions()
  ) throws {
    let needed = fewestImages(options)
    guard images >= needed || (side == .reference && need == .none) else {
      throw MetricsError.tooFewImages(metric: rawValue, side: side, found: images, needed: needed)
    }
  }
}

/// The metrics' constants; what differs from these is no longer comparable with published values.
package struct MetricOptions: Sendable, Equatable {
  package var inceptionScore = InceptionScore.Options()
  package var kernelDistance = KernelDistance.Options()
  /// k of precision and recall.
  package var neighbours = 3

  package init() {}
}

/// One metric's numbers.
package struct MetricResult: Sendable, Equatable {
  package let metric: Metric
  /// In the order of `metric.valueNames`.
  package let values: [Double]
  /// Samples of all ranks.
  package let images: Int
  /// Reference images; nil where nothing is compared or the reference does not say.
  package let referenceImages: Int?
  /// What a reader has to know, a line each.
  package let warnings: [String]

  /// The numbers with their names.
  package var named: [(name: String, value: Double)] {
    zip(metric.valueNames, values).map { (name: $0, value: $1) }
  }
}
