import Collectives
import Datasets
import Metrics
import TensorCore

/// What samples are compared with: images, statistics of images, or both in one file.
package struct ReferenceSource {
  package let path: String
  /// Of one feature network each.
  package private(set) var statistics: [ReferenceStatistics]
  package let images: (any ImageCollection)?

  /// Opens whatever is at `path`.
  package init(_ path: String) throws {
    self.path = path
    guard ReferenceFile.holdsStatistics(path) else {
      (statistics, images) = ([], try ImageCollections.open(path))
      return
    }
    statistics = [try ReferenceFile.read(path)]
    images = try ReferenceFile.images(path)
  }

  /// The images of a data set.
  package init(_ dataset: any ImageDataset, path: String) {
    (self.path, statistics) = (path, [])
    images = DatasetImages(dataset, path: path)
  }

  /// Statistics of the same images, made before.
  package mutating func add(_ made: ReferenceStatistics) { statistics.append(made) }

  /// Statistics that name this network, or none where the network is the one that others use.
  private func statistics(of extractor: some FeatureExtractor) -> ReferenceStatistics? {
    statistics.first { ($0.network ?? ReferenceStatistics.unnamedNetwork) == extractor.name }
  }

  /// Throws where a metric cannot be had from it, before anything long begins.
  package func check(_ pass: FeatureEvaluator) throws {
    for network in pass.networks { try check(network.metrics, network.extractor) }
  }

  private func check(_ metrics: [Metric], _ extractor: some FeatureExtractor) throws {
    let own = statistics(of: extractor)
    // Where there are no images, statistics of another network are the mistake to tell of.
    let given = own ?? (images == nil ? statistics.first : nil)
    try given?.check(against: extractor, path: path)
    for metric in metrics where metric.need != .none {
      if images == nil && (metric.need == .rows || own?.gaussians[metric.tap] == nil) {
        throw MetricsError.missingReference(
          metric: metric.rawValue, tap: metric.tap.rawValue, need: metric.need)
      }
      if let images { try metric.require(images.count, of: .reference) }
    }
  }

  /// What each network's metrics are compared with. Collective.
  package func references(
    _ pass: FeatureEvaluator, mixedSizes: Bool, over communicator: any Communicator,
    progress: (_ done: Int, _ total: Int) -> Void
  ) throws -> [MetricReference] {
    let known = pass.networks.map { statistics(of: $0.extractor) }
    var found = known.map {
      MetricReference(statistics: $0?.gaussians ?? [:], images: $0?.count)
    }
    // Only what no statistics tell is made from images.
    let missing = pass.keeping { network, metric in
      metric.need == .rows
        || (metric.need == .statistics && known[network]?.gaussians[metric.tap] == nil)
    }
    guard let images, missing.networks.contains(where: { !$0.metrics.isEmpty }) else {
      return found
    }
    let accumulated = try missing.accumulate(
      images, 0..<images.count, as: .reference, mixedSizes: mixedSizes, over: communicator,
      progress: progress)
    for (index, accumulator) in accumulated.enumerated() where !accumulator.metrics.isEmpty {
      let made = try accumulator.reference(over: communicator, on: pass.context.threads)
      found[index].statistics.merge(made.statistics) { $1 }
      (found[index].rows, found[index].images) = (made.rows, made.images)
    }
    return found
  }
}

extension FeatureEvaluator {
  /// The same networks with some of their metrics.
  ///
  /// - Parameter isKept: told the network's place and the metric.
  func keeping(_ isKept: (Int, Metric) -> Bool) -> FeatureEvaluator {
    FeatureEvaluator(
      networks: networks.enumerated().map { index, network in
        FeatureNetwork(
          extractor: network.extractor, metrics: network.metrics.filter { isKept(index, $0) })
      }, context: context, batch: batch)
  }

  private init(networks: [FeatureNetwork], context: ComputeContext, batch: Int) {
    (self.networks, self.context, self.batch) = (networks, context, batch)
  }
}
