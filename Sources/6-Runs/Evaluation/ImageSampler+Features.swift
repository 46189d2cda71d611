import Metrics
import Sampling

extension ImageSampler {
  /// Draws images and takes them up as features, quantised as `sample` writes them.
  package func accumulate(
    seeds: [UInt64], _ pass: FeatureEvaluator, progress: (_ done: Int) -> Void
  ) throws -> [MetricAccumulator] {
    var accumulators = try pass.accumulators()
    var done = 0
    try drawBatches(seeds: seeds) { seeds, images in
      try pass.add(images, to: &accumulators)
      done += seeds.count
      progress(done)
    }
    return accumulators
  }
}
