import Collectives
import Datasets
import Metrics
import Scores
import TensorCore

/// Where a reference comes from: images, statistics of images, or both in one file.
package struct ReferenceSource {
  /// Names it in reports and errors.
  package let path: String
  /// Statistics of one feature network each.
  package private(set) var statistics: [ReferenceStatistics]
  /// The images, where there are any.
  package let images: (any ImageCollection)?

  /// Opens the images or the statistics at `path`.
  package init(_ path: String) throws {
    self.path = path
    guard ReferenceFile.holdsStatistics(path) else {
      (statistics, images) = ([], try ImageCollections.open(path))
      return
    }
    statistics = [try ReferenceFile.read(path)]
    images = try ReferenceFile.images(path)
  }

  /// Takes the images of a data set.
  package init(_ dataset: any ImageDataset, path: String) {
    (self.path, statistics) = (path, [])
    images = DatasetImages(dataset, path: path)
  }

  /// Adds statistics of the same images that were made earlier.
  package mutating func add(_ made: ReferenceStatistics) { statistics.append(made) }

  /// The statistics of this network; a file that names no network counts as Inception's.
  private func statistics(of extractor: some FeatureExtractor) -> ReferenceStatistics? {
    statistics.first { ($0.network ?? ReferenceStatistics.unnamedNetwork) == extractor.name }
  }

  /// Checks, before anything long begins, that every metric finds what it is compared with.
  ///
  /// - Throws: `MetricsError.missingReference`, `MetricsError.tooFewImages`; `ReferenceError` for
  ///   statistics of another network.
  package func check(_ evaluator: FeatureEvaluator) throws {
    for network in evaluator.networks { try check(network.metrics, network.extractor) }
  }

  private func check(_ metrics: [Metric], _ extractor: some FeatureExtractor) throws {
    let own = statistics(of: extractor)
    // Where there are no images, statistics of another network are the mistake to report.
    let given = own ?? (images == nil ? statistics.first : nil)
    try given?.check(against: extractor, path: path)
    for metric in metrics where metric.referencePart != .none {
      if images == nil && (metric.referencePart == .rows || own?.gaussians[metric.features] == nil)
      {
        throw MetricsError.missingReference(
          metric: metric.rawValue, features: metric.features.rawValue, part: metric.referencePart)
      }
      if let images { try metric.require(images.count, of: .reference) }
    }
  }

  /// The reference of each network's metrics: from statistics where there are any, and from images
  /// where there are none. Collective.
  package func references(
    _ evaluator: FeatureEvaluator, mixedSizes: Bool, over communicator: any Communicator,
    progress: (_ done: Int, _ total: Int) -> Void
  ) throws -> [MetricReference] {
    let known = evaluator.networks.map { statistics(of: $0.extractor) }
    var found = known.map {
      MetricReference(statistics: $0?.gaussians ?? [:], images: $0?.count)
    }
    // Only what no statistics hold is computed from images.
    let missing = evaluator.keeping { network, metric in
      metric.referencePart == .rows
        || (metric.referencePart == .statistics
          && known[network]?.gaussians[metric.features] == nil)
    }
    guard let images, missing.networks.contains(where: { !$0.metrics.isEmpty }) else {
      return found
    }
    let accumulated = try missing.accumulate(
      images, 0..<images.count, as: .reference, mixedSizes: mixedSizes, over: communicator,
      progress: progress)
    for (index, accumulator) in accumulated.enumerated() where !accumulator.metrics.isEmpty {
      let made = try accumulator.reference(over: communicator, on: evaluator.context.threads)
      found[index].statistics.merge(made.statistics) { $1 }
      (found[index].rows, found[index].images) = (made.rows, made.images)
    }
    return found
  }
}
