import Collectives
import Metrics
import NumericsSupport
import Scores
import TensorCore
import Testing

@Suite struct MetricAccumulatorTests {
  private let threads = threadPool(of: 2)
  private let alone = SingleCommunicator()
  private let widths: [FeatureKind: Int] = [
    .pool64: 4, .pool192: 5, .mixed768: 6, .pool2048: 8, .spatial2023: 7, .logits: 10, .random: 9,
  ]
  private var options: MetricOptions {
    var options = MetricOptions()
    options.kernelDistance.subsets = 4
    options.kernelDistance.subsetSize = 30
    return options
  }

  /// Features of images `range` of a set.
  private func features(
    _ range: Range<Int>, seed: UInt64, scale: Float = 1
  ) -> [FeatureKind: FeatureMatrix] {
    widths.mapValues { randomRows(100, $0, seed: seed, scale: scale).rows(range) }
  }

  private func taken(
    _ metrics: [Metric], _ side: MetricSide, seed: UInt64, images: Int = 100, scale: Float = 1
  ) throws -> MetricAccumulator {
    var accumulator = try MetricAccumulator(metrics: metrics, widths: widths, side: side)
    for start in stride(from: 0, to: images, by: 30) {
      try accumulator.add(
        features(start..<min(start + 30, images), seed: seed, scale: scale), on: threads)
    }
    return accumulator
  }

  @Test func onePassFeedsAllMetrics() throws {
    let samples = try taken(Metric.allCases, .samples, seed: 1)
    let reference = try taken(Metric.allCases, .reference, seed: 2, scale: 1.2)
      .reference(over: alone, on: threads)
    #expect(samples.count == 100 && reference.images == 100 && samples.kinds == Set(widths.keys))
    let results = try samples.results(against: reference, options, over: alone, on: threads)
    #expect(results.map(\.metric) == Metric.allCases)

    // The same numbers as by each metric's own call.
    let (a, b) = (features(0..<100, seed: 1), features(0..<100, seed: 2, scale: 1.2))
    for result in results {
      let metric = result.metric
      let own = try #require(a[metric.features])
      let other = try #require(b[metric.features])
      let expected: [Double]
      switch metric {
      case .inceptionScore:
        let score = try InceptionScore.of(own, on: threads)
        expected = [score.mean, score.deviation]
      case .inceptionScoreADM:
        let score = try InceptionScore.of(own, .adm, on: threads)
        expected = [score.mean, score.deviation]
      case .kid:
        let kid = try KernelDistance.between(own, other, options.kernelDistance, on: threads)
        expected = [kid.mean, kid.deviation]
      case .precisionRecall:
        let pair = try PrecisionRecall.of(
          samples: own, reference: other, over: alone, on: threads)
        expected = [pair.precision, pair.recall]
      default:
        var sums = [FeatureStatistics(width: own.width), FeatureStatistics(width: own.width)]
        sums[0].add(own, on: threads)
        sums[1].add(other, on: threads)
        expected = [
          try FrechetDistance.between(
            sums[0].gaussian(on: threads), sums[1].gaussian(on: threads), on: threads)
        ]
      }
      #expect(result.values == expected && result.images == 100, "\(metric)")
      #expect(result.referenceImages == (metric.referencePart == .none ? nil : 100))
      #expect(result.warnings.isEmpty != metric.isFrechetDistance)
    }
  }

  @Test func resultsAreNamed() {
    let names = Metric.allCases.flatMap(\.valueNames)
    #expect(
      names == [
        "fid", "fid64", "fid192", "fid768", "is_mean", "is_std", "is_adm_mean", "is_adm_std",
        "kid_mean", "kid_std", "precision", "recall", "sfid", "fd_random",
      ])
  }

  @Test func onlyWhatIsNeededIsHeld() throws {
    let samples = try MetricAccumulator(metrics: [.fid, .inceptionScore], widths: widths)
    #expect(samples.kinds == [.pool2048, .logits])
    let reference = try MetricAccumulator(
      metrics: [.fid, .inceptionScore], widths: widths, side: .reference)
    #expect(reference.kinds == [.pool2048])
  }

  /// Statistics from a file: no rows, perhaps no count.
  @Test func statisticsAloneServeDistances() throws {
    let samples = try taken([.fid, .sfid], .samples, seed: 1)
    let full = try taken([.fid, .sfid], .reference, seed: 2).reference(over: alone, on: threads)
    let gaussians = try full.statistics.mapValues {
      try FeatureGaussian(mean: $0.mean, covariance: $0.covariance, count: nil)
    }
    let results = try samples.results(
      against: MetricReference(statistics: gaussians), over: alone, on: threads)
    let expected = try samples.results(against: full, over: alone, on: threads)
    #expect(results.map(\.values) == expected.map(\.values))
    #expect(results[0].referenceImages == nil)
  }

  @Test func inceptionScoreNeedsNoReference() throws {
    let samples = try taken([.inceptionScore], .samples, seed: 1)
    let results = try samples.results(against: .none, over: alone, on: threads)
    #expect(results.count == 1 && results[0].values[0] > 1)
  }

  @Test(arguments: [(Metric.fid, "statistics"), (.kid, "rows"), (.precisionRecall, "rows")])
  func theReferenceMustHaveWhatIsCompared(metric: Metric, need: String) throws {
    let samples = try taken([metric], .samples, seed: 1)
    #expect {
      try samples.results(against: .none, options, over: alone, on: threads)
    } throws: { "\($0)".hasPrefix("\(metric.rawValue) needs \(need) of features 2048") }
  }

  @Test func widthsMustAgree() throws {
    let samples = try taken([.fid], .samples, seed: 1)
    let gaussian = try FeatureGaussian(mean: [0], covariance: [1], count: nil)
    #expect {
      try samples.results(
        against: MetricReference(statistics: [.pool2048: gaussian]), over: alone, on: threads)
    } throws: { "\($0)".hasPrefix("fid: samples have 8 features an image, the reference has 1;") }
  }

  @Test(arguments: [(Metric.fid, 2), (.kid, 30), (.precisionRecall, 4), (.inceptionScore, 10)])
  func fewerImagesThanAMetricIsDefinedFor(metric: Metric, needed: Int) throws {
    let reference = try taken([metric], .reference, seed: 2).reference(over: alone, on: threads)
    let enough = try taken([metric], .samples, seed: 1, images: needed)
    _ = try enough.results(against: reference, options, over: alone, on: threads)
    let few = try taken([metric], .samples, seed: 1, images: needed - 1)
    #expect {
      try few.results(against: reference, options, over: alone, on: threads)
    } throws: {
      "\($0)".hasPrefix(
        "\(metric.rawValue): found \(needed - 1) samples, expected at least \(needed);")
    }
    #expect(
      throws: MetricsError.tooFewImages(
        metric: metric.rawValue, side: .samples, found: needed - 1, needed: needed)
    ) { try metric.require(needed - 1, of: .samples, options) }
  }

  @Test func aReferenceOfTooFewImagesIsRefused() throws {
    let samples = try taken([.kid], .samples, seed: 1)
    let few = try taken([.kid], .reference, seed: 2, images: 29)
      .reference(over: alone, on: threads)
    #expect {
      try samples.results(against: few, options, over: alone, on: threads)
    } throws: { "\($0)".hasPrefix("kid: found 29 reference images, expected at least 30;") }
  }

  @Test func theNetworkMustOfferTheFeatures() {
    #expect(
      throws: MetricsError.missingFeatures(metric: "fid", features: "2048", offered: ["random"])
    ) { try MetricAccumulator(metrics: [.fid], widths: [.random: 4]) }
  }

  @Test func badFeaturesAreRefusedWithTheImagesNumber() throws {
    var accumulator = try taken([.fdRandom], .samples, seed: 1, images: 40)
    var values = randomRows(10, 9, seed: 3).values
    values[9 * 2] = .nan
    #expect(throws: MetricsError.nonFiniteFeature(features: "random", row: 42)) {
      try accumulator.add([.random: FeatureMatrix(width: 9, values: values)], on: threads)
    }
    #expect(accumulator.count == 40)
  }

  @Test func sharesAreContiguousAndComplete() {
    let rows = randomRows(10, 2, seed: 1)
    var joined = FeatureMatrix(width: 2)
    for rank in 0..<3 { joined.append(rows.rows((0..<10).share(rank: rank, of: 3))) }
    #expect(joined == rows)
  }
}
