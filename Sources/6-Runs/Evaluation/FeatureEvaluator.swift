import Collectives
import Datasets
import FileFormats
import Foundation
import Images
import Metrics
import Sampling
import Scores
import SystemSupport
import TensorCore

/// A feature network, and the metrics that are computed from its features.
package struct FeatureNetwork {
  /// The network.
  package let extractor: any FeatureExtractor
  /// The metrics.
  package let metrics: [Metric]
}

/// Turns images into features, and features into metrics. Each rank works on its share of the
/// images; every image goes through one network after the other.
package struct FeatureEvaluator {
  /// The feature networks that the metrics need.
  package let networks: [FeatureNetwork]
  /// Threads, memory and kernels that are used.
  package let context: ComputeContext
  /// Images of a collection that are read at once.
  package let batch: Int

  /// Makes the networks that the selected metrics need. Every rank reads the weights.
  ///
  /// - Throws: `FeatureError`, or the error of a safetensors file, for weights that cannot be used.
  package init(
    _ selection: MetricSelection, _ options: FeatureOptions, on context: ComputeContext
  ) throws {
    var networks: [FeatureNetwork] = []
    if !selection.builtin.isEmpty {
      networks.append(
        FeatureNetwork(extractor: RandomFeatures(on: context), metrics: selection.builtin))
    }
    if !selection.inception.isEmpty, case .inception(let weights) = options.source {
      networks.append(
        FeatureNetwork(
          extractor: try InceptionV3(
            weights: URL(fileURLWithPath: weights), resize: options.resize, on: context),
          metrics: selection.inception))
    }
    self.init(networks, on: context, batch: options.batch)
  }

  private init(_ networks: [FeatureNetwork], on context: ComputeContext, batch: Int) {
    (self.networks, self.context, self.batch) = (networks, context, batch)
  }

  /// Samples images and accumulates their features; quantised as `sample` writes them. Collective.
  ///
  /// - Parameters:
  ///   - seeds: of all ranks; this rank samples its share.
  ///   - progress: told of this rank's images after each batch.
  /// - Returns: what each network's metrics need of this rank's images.
  package func accumulate(
    _ sampler: ImageSampler, seeds: Range<UInt64>, over communicator: any Communicator,
    progress: (_ done: Int, _ total: Int) -> Void
  ) throws -> [MetricAccumulator] {
    let own = Array(communicator.share(of: seeds))
    return try communicator.agree {
      var accumulators = try self.accumulators(.samples)
      var done = 0
      try sampler.sampleBatches(seeds: own) { seeds, images in
        try add(images, to: &accumulators)
        done += seeds.count
        progress(done, own.count)
      }
      return accumulators
    }
  }

  /// Accumulates the features of images that an autoencoder reconstructs. Collective.
  ///
  /// - Parameter range: which images of the data set, over all ranks.
  package func accumulate(
    _ reconstructions: Reconstructions, _ range: Range<Int>, over communicator: any Communicator,
    progress: (_ done: Int, _ total: Int) -> Void
  ) throws -> [MetricAccumulator] {
    try communicator.agree {
      var accumulators = try self.accumulators(.samples)
      try reconstructions.forEachBatch(communicator.share(of: range), progress) { _, made in
        try add(made, to: &accumulators)
      }
      return accumulators
    }
  }

  /// Accumulates the features of images in files. Collective.
  ///
  /// - Parameters:
  ///   - range: which images of the collection, over all ranks; this rank reads its share.
  ///   - side: whether they are samples or a reference.
  ///   - mixedSizes: whether images may be of different sizes.
  package func accumulate(
    _ collection: any ImageCollection, _ range: Range<Int>, as side: MetricSide, mixedSizes: Bool,
    over communicator: any Communicator, progress: (_ done: Int, _ total: Int) -> Void
  ) throws -> [MetricAccumulator] {
    let own = communicator.share(of: range)
    return try communicator.agree {
      let first = try collection.size(of: range.lowerBound)
      var accumulators = try self.accumulators(side)
      for start in stride(from: own.lowerBound, to: own.upperBound, by: batch) {
        let part = start..<min(start + batch, own.upperBound)
        let images = try part.map { index in
          let image = try collection.image(index)
          guard mixedSizes || image.size == first else {
            throw ImageError.mixedSizes(
              path: collection.path, first: collection.name(of: range.lowerBound),
              firstSize: first, second: collection.name(of: index), secondSize: image.size)
          }
          return image
        }
        try add(images, to: &accumulators)
        progress(part.upperBound - own.lowerBound, own.count)
      }
      return accumulators
    }
  }

  /// One empty accumulator per network.
  private func accumulators(_ side: MetricSide) throws -> [MetricAccumulator] {
    try networks.map { (network) throws in
      try MetricAccumulator(
        metrics: network.metrics, widths: network.extractor.widths, side: side)
    }
  }

  /// The seconds that features of images like these take, per image.
  func secondsPerImage(_ images: [RGBImage]) throws -> Double {
    var unused = try accumulators(.samples)
    let begun = MonotonicClock.now
    try add(images, to: &unused)
    return (MonotonicClock.now - begun) / Double(images.count)
  }

  /// Adds the features of some images.
  private func add(_ images: [RGBImage], to accumulators: inout [MetricAccumulator]) throws {
    for (index, network) in networks.enumerated() where !accumulators[index].kinds.isEmpty {
      let features = network.extractor.features(
        of: images, kinds: accumulators[index].kinds, on: context)
      try accumulators[index].add(features, on: context.threads)
    }
  }

  /// The metrics of all ranks' images. Collective.
  package func results(
    _ accumulators: [MetricAccumulator], against references: [MetricReference],
    over communicator: any Communicator
  ) throws -> [MetricResult] {
    try zip(accumulators, references).flatMap { accumulator, reference in
      try accumulator.results(against: reference, over: communicator, on: context.threads)
    }
  }

  /// Throws `MetricsError.tooFewImages` where a metric is not defined for so few images.
  package func require(_ images: Int, of side: MetricSide) throws {
    for metric in networks.flatMap(\.metrics) { try metric.require(images, of: side) }
  }

  /// The same networks with some of their metrics.
  ///
  /// - Parameter isKept: told the index of the network and the metric.
  func keeping(_ isKept: (Int, Metric) -> Bool) -> FeatureEvaluator {
    let kept = networks.enumerated().map { index, network in
      FeatureNetwork(
        extractor: network.extractor, metrics: network.metrics.filter { isKept(index, $0) })
    }
    return FeatureEvaluator(kept, on: context, batch: batch)
  }
}
