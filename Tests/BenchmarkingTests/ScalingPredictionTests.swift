import Benchmarking
import CommandSupport
import Foundation
import Testing

/// Predictions that can be done in the head.
@Suite struct ScalingPredictionTests {
  /// 10 ms an image, of which 6 ms are backward, and 20 ms a step; two messages of 1 MB at 1 GB/s.
  private func model(hiddenShare: Double = 1) -> ScalingModel {
    ScalingModel(
      secondsPerImage: 0.010, secondsPerStep: 0.020, backwardShare: 0.6, microBatch: 4,
      bucketBytes: [1_000_000, 1_000_000], hiddenShare: hiddenShare,
      ring: RingModel(latency: 1e-3, linkSecondsPerByte: 1e-9, ownSecondsPerByte: 0))
  }

  private func isClose(_ a: Double, _ b: Double) -> Bool { abs(a - b) <= 1e-12 + 1e-9 * abs(b) }

  @Test func messagesAddUp() {
    // Two ranks: 2 ms of latency and 1 ms of link each; four: 6 ms and 1.5 ms.
    #expect(isClose(model().communication(ranks: 1), 0))
    #expect(isClose(model().communication(ranks: 2), 0.006))
    #expect(isClose(model().communication(ranks: 4), 0.015))
  }

  @Test func theLastBucketAlwaysShows() {
    // 8 images in two parts: 24 ms of backward after the first bucket, which takes 7.5 ms.
    #expect(isClose(model().exposed(ranks: 4, batch: 8), 0.0075))
    // The last part has one image: 6 ms, so 1.5 ms of the first bucket show too.
    #expect(isClose(model().exposed(ranks: 4, batch: 9), 0.009))
    #expect(isClose(model(hiddenShare: 0.5).exposed(ranks: 4, batch: 9), 0.012))
    #expect(isClose(model(hiddenShare: 0).exposed(ranks: 4, batch: 8), 0.015))
    #expect(model().exposed(ranks: 1, batch: 8) == 0)
  }

  @Test func weakScaling() throws {
    let rows = model().weak(batch: 8, ranks: [1, 4])
    #expect(rows.map(\.ranks) == [1, 4] && rows.map(\.batch) == [8, 32])
    #expect(rows.map(\.batchPerRank) == [8, 8])
    // One rank: 20 + 80 ms, 80 images/s, with or without overlap.
    #expect(isClose(rows[0].plain.seconds, 0.1) && isClose(rows[0].plain.imagesPerSecond, 80))
    #expect(rows[0].plain == rows[0].overlapped)
    #expect(rows[0].plain.efficiency == 1 && rows[0].plain.communicationShare == 0)
    let four = rows[1]
    #expect(isClose(four.communicationSeconds, 0.015))
    #expect(isClose(four.plain.seconds, 0.115) && isClose(four.plain.efficiency, 0.1 / 0.115))
    #expect(isClose(four.plain.imagesPerSecond, 32 / 0.115))
    #expect(isClose(four.plain.communicationShare, 0.015 / 0.115))
    #expect(isClose(four.overlapped.seconds, 0.1075))
    #expect(isClose(four.overlapped.efficiency, 0.1 / 0.1075))
  }

  @Test func strongScaling() throws {
    let rows = model().strong(batch: 10, ranks: [1, 4, 16])
    // Sixteen ranks would have no image each.
    #expect(rows.map(\.ranks) == [1, 4] && rows.map(\.batchPerRank) == [10, 3])
    #expect(isClose(rows[0].plain.imagesPerSecond, 10 / 0.12))
    // The rank with three images sets the pace: 20 + 30 + 15 ms.
    #expect(isClose(rows[1].plain.seconds, 0.065))
    #expect(isClose(rows[1].plain.efficiency, 0.12 / 0.065 / 4))
  }

  /// A step of 60 ms, of which 24 are backward and 20 the optimizer's; 4 images, 1 MB of gradients.
  private func measured(ranks: Int) throws -> ScalingMeasurement {
    let together = #""together": {"seconds": 0.070, "exposed_communication": 0.008},"#
    let text = """
      {"format_version": 1, "ranks": \(ranks), "hosts": ["n"], "threads": 2, "kernels": "avx2",
       "precision": "bf16", "mpi": "MPI", "batch": 4, "micro_batch": 4, "global_batch": 64,
       "bucket_mb": 0.5, "steps": 3, "network": \(network(10, 250_000, flops: 1000)),
       "alone": {"seconds": 0.060, "forward": 0.016, "backward": 0.024, "optimizer": 0.020},
       \(ranks > 1 ? together : "") "allreduce": []}
      """
    return try JSONDecoder().decode(ScalingMeasurement.self, from: Data(text.utf8))
  }

  private func network(_ parameters: Int, _ elements: Int, flops: Int) -> String {
    """
    {"parameters": \(parameters), "gradient_elements": \(elements), "flops_per_image": \(flops),
     "channels": [8], "blocks": [1]}
    """
  }

  @Test func aMeasurementBecomesAModel() throws {
    let ring = RingModel(latency: 0, linkSecondsPerByte: 1e-9, ownSecondsPerByte: 0)
    let same = try ScalingModel(measured(ranks: 2), ring: ring)
    #expect(isClose(same.secondsPerImage, 0.010) && isClose(same.secondsPerStep, 0.020))
    #expect(isClose(same.backwardShare, 0.6) && same.microBatch == 4)
    // Buckets of 0.5 MB, rounded up to blocks of 4,096 elements.
    #expect(same.bucketBytes == [507_904, 492_096])
    // Three times the arithmetic, twice the parameters.
    let larger = try JSONDecoder().decode(
      ScalingMeasurement.Network.self, from: Data(network(20, 500_000, flops: 3000).utf8))
    let other = try ScalingModel(measured(ranks: 2), network: larger, bucketMB: 100, ring: ring)
    #expect(isClose(other.secondsPerImage, 0.030) && isClose(other.secondsPerStep, 0.040))
    #expect(other.bucketBytes == [2_000_000])
  }

  @Test func aStepIsComparedWithItsPrediction() throws {
    let ring = RingModel(latency: 0, linkSecondsPerByte: 1e-8, ownSecondsPerByte: 0)
    let check = try #require(ScalingStepCheck(measured(ranks: 2), ring: ring, hiddenShare: 1))
    // 1 MB at 0.1 GB/s, and of it the last bucket.
    #expect(isClose(check.plainSeconds, 0.070) && check.measuredSeconds == 0.070)
    #expect(isClose(check.overlappedSeconds, 0.060 + 0.00492096))
    #expect(try ScalingStepCheck(measured(ranks: 1), ring: ring, hiddenShare: 1) == nil)
  }

  private func report(
    _ options: ScalingPredictOptions, ranks: Int = 1
  ) throws -> ScalingReport { try ScalingReport([measured(ranks: ranks)], options, nil) }

  @Test func aStatedLinkNeedsNoMeasuredSums() throws {
    let options = try ScalingPredictOptions(
      files: ["one.json"], ranks: [4, 1, 4], linkGbps: 8, latencyUs: 100)
    let report = try report(options)
    #expect(report.fit == nil && report.validation.isEmpty)
    #expect(isClose(report.ring.linkSecondsPerByte, 1e-9) && isClose(report.ring.latency, 1e-4))
    #expect(report.weak.map(\.ranks) == [1, 4] && report.strong.map(\.batch) == [64, 64])
    // Two messages of 6 x 0.1 ms, 1.5 x 1 MB at 1 GB/s.
    #expect(isClose(report.weak[1].communicationSeconds, 0.0012 + 0.0015))
    #expect(report.assumptions.contains { $0.hasPrefix("B is stated: 8.0 Gb/s") })
    #expect(throws: ScalingError.nothingToFit) {
      try self.report(ScalingPredictOptions(files: ["one.json"], linkGbps: 8))
    }
    #expect("\(ScalingError.nothingToFit)".contains("--latency-us"))
    #expect(ScalingError.nothingToFit.exitCode == 2)
  }

  @Test func smallSumsMayBeLeftOutOfTheFit() throws {
    var two = try measured(ranks: 2)
    // 1 GB/s, but for a small one that takes a second.
    two.allReduce = [(4096, 1.0), (1 << 20, 0.001048576), (1 << 24, 0.016777216)].map {
      AllReduceTiming(bytes: $0.0, seconds: $0.1, repeats: 3, ranks: 2)
    }
    let all = try ScalingReport([two], ScalingPredictOptions(files: ["x"]), nil)
    let large = try ScalingReport(
      [two], ScalingPredictOptions(files: ["x"], fromBytes: 1 << 20), nil)
    #expect(all.fit?.points == 3 && large.fit?.points == 2)
    #expect(isClose(large.ring.linkSecondsPerByte, 1e-9) && large.ring.latency < 1e-9)
    #expect(all.ring.latency > 1e-3)
    #expect(large.assumptions.contains { $0.hasPrefix("the fit knows sums of 1 MiB and more") })
  }

  @Test func optionsOutOfRange() {
    for (ranks, link, latency, share) in [
      ([0], 1.0, 0.0, 1.0), ([], 1, 0, 1), ([1], 0, 0, 1), ([1], .nan, 0, 1), ([1], 1, -1, 1),
      ([1], 1, 0, 1.5),
    ] {
      #expect(throws: OptionError.self, "\(ranks) \(link) \(latency) \(share)") {
        try ScalingPredictOptions(
          files: ["x"], ranks: ranks, linkGbps: link, latencyUs: latency, hiddenShare: share)
      }
    }
    #expect(throws: OptionError.self) { try ScalingMeasureOptions(batch: 0, json: "x") }
    #expect(throws: OptionError.self) { try ScalingMeasureOptions(steps: 0, json: "x") }
  }
}
