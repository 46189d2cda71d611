import Metrics
import Testing

@Suite struct MetricsErrorTests {
  private static let lines: [(MetricsError, String)] = [
    (
      .tooFewImages(metric: "kid", side: .samples, found: 500, needed: 1000),
      "kid: found 500 samples, expected at least 1000; draw more samples, or leave kid out"
    ),
    (
      .tooFewImages(metric: "pr", side: .reference, found: 3, needed: 4),
      "pr: found 3 reference images, expected at least 4; use a reference of more images, or leave pr"
        + " out"
    ),
    (
      .widthMismatch(metric: "fid", samples: 64, reference: 2048),
      "fid: samples have 64 features an image, the reference has 2048; make the reference with the"
        + " same feature network"
    ),
    (
      .nonFiniteFeature(tap: "2048", row: 7),
      "features 2048 of image 7 are not all finite; check the image and the feature network's weights"
    ),
    (
      .nonFiniteStatistics(width: 2048),
      "statistics of 2048 features are not all finite; make the reference again"
    ),
    (
      .covarianceShape(mean: 2, covariance: 3),
      "a covariance has 3 elements, expected 2 x 2 for a mean of 2; make the reference again"
    ),
    (
      .missingTap(metric: "fid", tap: "2048", offered: ["random"]),
      "fid needs features 2048, the network offers random; choose another --features or leave fid out"
    ),
    (
      .missingReference(metric: "kid", tap: "2048", need: .rows),
      "kid needs rows of features 2048, which the reference lacks; use images as the reference instead"
        + " of statistics, or leave kid out"
    ),
    (
      .unknownMetric(name: "fidd"),
      "no metric is called fidd; expected one of fid, fid64, fid192, fid768, is, is_adm, kid,"
        + " pr, sfid, fd_random"
    ),
  ]

  @Test(arguments: lines)
  func eachIsOneLine(_ error: MetricsError, _ line: String) {
    #expect(error.description == line)
  }

  @Test func namesOfMetrics() throws {
    #expect(try Metric(named: "is") == .inceptionScore)
    #expect(throws: MetricsError.unknownMetric(name: "fidd")) { try Metric(named: "fidd") }
  }
}
