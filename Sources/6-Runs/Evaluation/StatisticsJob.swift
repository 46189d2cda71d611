import CommandSupport
import Datasets
import Metrics
import SystemSupport
import TensorCore

/// `diffit data stats`: what Frechet distances compare samples with, made once from a set of images.
package enum StatisticsJob {
  package static func run(_ options: StatisticsOptions) throws {
    try Job.run { communicator, log in
      let context = try communicator.agreedContext()
      let (pass, images) = try communicator.agree {
        let pass = try FeatureEvaluator(
          .statistics(options.measuring), options.measuring, on: context)
        let images = try ImageCollections.open(options.data)
        let found = images.count
        guard options.samples ?? 0 <= found else {
          throw EvaluationError.fewerImages(
            path: options.data, found: found, needed: options.samples ?? 0)
        }
        try FileOutput.makeFolder(ofFile: options.output)
        try pass.require(options.samples ?? found, of: .reference)
        return (pass, images)
      }
      let count = options.samples ?? images.count
      let network = pass.networks[0].extractor
      log.info(
        "features \(network.name) (\(network.digest)), protocol \(network.protocolName), of"
          + " \(Format.quantity(count, "image")) of \(options.data)")
      let own = communicator.share(of: count).count
      var line = ProgressLine(
        communicator.size > 1 ? "rank 0" : "features", of: own, startedAt: MonotonicClock.now)
      let accumulators = try pass.accumulate(
        images, 0..<count, as: .reference, mixedSizes: options.measuring.mixedSizes,
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
  /// Writes statistics with what tells the network.
  package static func write(
    _ reference: MetricReference, of network: some FeatureExtractor, to path: String
  ) throws {
    try ReferenceFile.write(
      ReferenceStatistics(reference.statistics, madeBy: network), to: path)
  }
}

extension MetricSelection {
  /// All that statistics are made for.
  fileprivate static func statistics(_ options: FeatureOptions) throws -> MetricSelection {
    let names =
      options.features.path == nil ? ["fd_random"] : ["fid", "fid64", "fid192", "fid768", "sfid"]
    return try MetricSelection(names, hasInception: true)
  }
}
