import CommandSupport
import Datasets
import Metrics
import SystemSupport
import TensorCore

/// `diffit data stats`: computes the statistics that Frechet distances compare samples with, once
/// for a set of images.
package enum StatisticsJob {
  /// Computes the features of the images on all ranks; the first rank writes the file.
  package static func run(_ options: StatisticsOptions) throws {
    try Job.run { communicator, log in
      let context = try communicator.agreedContext()
      let (evaluator, images) = try communicator.agree {
        let evaluator = try FeatureEvaluator(
          .statistics(options.features.source), options.features, on: context)
        let images = try ImageCollections.open(options.data)
        let found = images.count
        guard options.samples ?? 0 <= found else {
          throw EvaluationError.fewerImages(
            path: options.data, found: found, needed: options.samples ?? 0)
        }
        try FileOutput.makeFolder(ofFile: options.output)
        try evaluator.require(options.samples ?? found, of: .reference)
        return (evaluator, images)
      }
      log.tell(leftOut: images.leftOut)
      let count = options.samples ?? images.count
      let network = evaluator.networks[0].extractor
      log.info(
        "features \(network.name) (\(network.digest)), protocol \(network.protocolName), of"
          + " \(Format.quantity(count, "image")) of \(options.data)")
      let own = communicator.share(of: count).count
      var line = ProgressLine(
        communicator.size > 1 ? "rank 0" : "features", of: own, startedAt: MonotonicClock.now)
      let accumulators = try evaluator.accumulate(
        images, 0..<count, as: .reference, mixedSizes: options.features.mixedSizes,
        over: communicator
      ) { done, _ in log.progress(&line, done: done) }
      log.endProgress()
      let reference = try accumulators[0].reference(over: communicator, on: context.threads)
      try communicator.agree {
        guard communicator.rank == 0 else { return }
        try write(reference, of: network, to: options.output)
      }
      log.info("wrote \(options.output)")
    }
  }
}

extension StatisticsJob {
  /// Writes statistics together with the name, the digest and the protocol of their network.
  package static func write(
    _ reference: MetricReference, of network: some FeatureExtractor, to path: String
  ) throws {
    try ReferenceFile.write(
      ReferenceStatistics(reference.statistics, madeBy: network), to: path)
  }
}

extension MetricSelection {
  /// All metrics that compare samples with statistics of these features.
  fileprivate static func statistics(_ source: FeatureSource) throws -> MetricSelection {
    try MetricSelection(
      source == .builtin ? ["fd_random"] : ["fid", "fid64", "fid192", "fid768", "sfid"],
      features: source)
  }
}
