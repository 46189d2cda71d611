import Collectives
import Datasets
import FileFormats
import Foundation
import Metrics
import TensorCore

/// A feature network and the metrics that are made of it.
package struct FeatureNetwork {
  package let extractor: any FeatureExtractor
  package let metrics: [Metric]
}

/// Turns images into what metrics are made of: each rank its own share, one network after the other.
package struct FeatureEvaluator {
  package let networks: [FeatureNetwork]
  package let context: ComputeContext
  /// Images taken at once.
  package let batch: Int

  /// - Throws: what can be wrong with the weights; every rank reads them.
  package init(
    _ selection: MetricSelection, _ options: FeatureOptions, on context: ComputeContext
  ) throws {
    var networks: [FeatureNetwork] = []
    if !selection.builtin.isEmpty {
      networks.append(
        FeatureNetwork(extractor: RandomFeatures(on: context), metrics: selection.builtin))
    }
    if !selection.inception.isEmpty, let path = options.features.path,
      let resize = ResizeProtocol(rawValue: options.protocolName)
    {
      networks.append(
        FeatureNetwork(
          extractor: try InceptionV3(
            weights: URL(fileURLWithPath: path), resize: resize, on: context),
          metrics: selection.inception))
    }
    (self.networks, self.context, batch) = (networks, context, options.batch)
  }

  func accumulators(_ side: MetricSide = .samples) throws -> [MetricAccumulator] {
    try networks.map { (network) throws in
      try MetricAccumulator(
        metrics: network.metrics, widths: network.extractor.widths, side: side)
    }
  }

  /// Takes up some images.
  package func add(_ images: [RGBImage], to accumulators: inout [MetricAccumulator]) throws {
    for (index, network) in networks.enumerated() where !accumulators[index].taps.isEmpty {
      let features = network.extractor.features(
        of: images, taps: accumulators[index].taps, on: context)
      try accumulators[index].add(features, on: context.threads)
    }
  }

  /// Takes up images `range` of a collection, of which this rank reads its share. Collective.
  ///
  /// - Parameter mixedSizes: images need not be of one size.
  package func accumulate(
    _ collection: any ImageCollection, _ range: Range<Int>, as side: MetricSide, mixedSizes: Bool,
    over communicator: any Communicator, progress: (_ done: Int, _ total: Int) -> Void
  ) throws -> [MetricAccumulator] {
    let share = communicator.share(of: range.count)
    let own = range.lowerBound + share.lowerBound..<range.lowerBound + share.upperBound
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

  /// The numbers of all ranks' images. Collective.
  package func results(
    _ accumulators: [MetricAccumulator], against references: [MetricReference],
    over communicator: any Communicator
  ) throws -> [MetricResult] {
    try zip(accumulators, references).flatMap { accumulator, reference in
      try accumulator.results(against: reference, over: communicator, on: context.threads)
    }
  }

  /// Throws where fewer images are to come than a metric is defined for.
  package func require(_ images: Int, of side: MetricSide) throws {
    for metric in networks.flatMap(\.metrics) { try metric.require(images, of: side) }
  }
}
