import Metrics
import Scores
import Testing

@Suite struct MetricsErrorTests {
  private static let lines: [(MetricsError, String)] = [
    (
      .tooFewImages(metric: "kid", side: .samples, found: 500, needed: 1000),
      "kid: found 500 samples, expected at least 1000; make more samples, or leave kid out"
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
      .nonFiniteFeature(features: "2048", row: 7),
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
      .missingFeatures(metric: "fid", features: "2048", offered: ["random"]),
      "fid needs features 2048, the network offers random; choose another --features or leave fid out"
    ),
    (
      .missingReference(metric: "kid", features: "2048", part: .rows),
      "kid needs rows of features 2048, which the reference lacks; use images as the reference instead"
        + " of statistics, or leave kid out"
    ),
  ]

  @Test(arguments: lines)
  func eachIsOneLine(_ error: MetricsError, _ line: String) {
    #expect(error.description == line)
  }

  @Test func namesOfMetrics() throws {
    let selection = try MetricSelection(["is", "loss"], features: .inception(weights: "file"))
    #expect(selection.inception == [.inceptionScore] && selection.builtin.isEmpty)
    #expect(selection.hasLoss && !selection.hasPSNR)
    #expect(selection.valueNames == ["is_mean", "is_std", "loss"])
  }

  @Test(arguments: [
    (
      "fidd", "fidd",
      "some of loss, psnr, fid, fid64, fid192, fid768, is, is_adm, kid, pr, sfid,"
        + " fd_random"
    ),
    ("loss,loss", "loss,loss", "each metric once"),
    (
      "loss,fid", "fid",
      "fd_random or loss where features are builtin: fid is made of Inception's, whose weights"
        + " launch/convert-inception.py makes"
    ),
  ])
  func namesThatAreNoSelection(_ names: String, _ found: String, _ expected: String) {
    do throws(MetricSelection.Problem) {
      _ = try MetricSelection(
        names.split(separator: ",").map(String.init), features: .builtin)
      Issue.record("\(names) was taken")
    } catch {
      #expect(error.found == found && error.expected == expected)
    }
  }

  @Test func numbersThatGrowWithQuality() {
    let names = Metric.allCases.flatMap(\.valueNames) + ["loss", "psnr"]
    #expect(
      names.filter(MetricSelection.isHigherBetter) == [
        "is_mean", "is_adm_mean", "precision", "recall", "psnr",
      ])
  }
}
