import CommandSupport
import Metrics
import Sampling
import TensorCore

/// What `diffit evaluate` found: the numbers, and everything that has to be equal for another number to be
/// comparable.
package struct EvaluationReport: Codable, Equatable, Sendable {
  /// The program that measured; nil in a report of a version before 0.2.
  package var build: String? = Build.description(kernels: KernelTable.best.level)
  /// What was measured: the run, checkpoint, folder or file.
  package var source: String
  /// How its images were drawn; nil where nothing tells.
  var drawing: SampleRecord?
  /// Images a measurement, and measurements.
  package var samples: Int
  package var repeats: Int
  /// The seeds of the images, where they were drawn.
  package var seeds: String?
  /// The reference; nil where nothing was compared.
  package var reference: String?
  package var referenceImages: Int?
  var features: [Features] = []
  /// By name, the mean of all measurements.
  package var metrics: [String: Double] = [:]
  /// By name, over the measurements.
  package var spread: [String: Range] = [:]
  package var loss: HeldOutLoss?
  package var warnings: [String] = []

  struct Features: Codable, Equatable, Sendable {
    let name: String
    let digest: String
    /// How images became the network's input.
    let `protocol`: String

    init(_ extractor: any FeatureExtractor) {
      (name, digest) = (extractor.name, extractor.digest)
      `protocol` = extractor.protocolName
    }
  }

  package struct Range: Codable, Equatable, Sendable {
    package let mean: Double
    package let min: Double
    package let max: Double

    package init(_ values: [Double]) {
      mean = values.reduce(0, +) / Double(values.count)
      min = values.min() ?? .nan
      max = values.max() ?? .nan
    }
  }

  package enum CodingKeys: String, CodingKey {
    case build, source, drawing, samples, repeats, seeds, reference, features, metrics, spread, loss
    case warnings
    case referenceImages = "reference_images"
  }

  /// Takes up one measurement after the other.
  package mutating func add(_ measurements: [[MetricResult]]) {
    guard let first = measurements.first else { return }
    for (index, result) in first.enumerated() {
      for (place, name) in result.metric.valueNames.enumerated() {
        note(name, measurements.map { $0[index].values[place] })
      }
      for warning in result.warnings where !warnings.contains(warning) { warnings.append(warning) }
      // Statistics and images of one file may be of different numbers: the first metric's counts.
      referenceImages = referenceImages ?? result.referenceImages
    }
  }

  package mutating func note(_ name: String, _ values: [Double]) {
    let range = Range(values)
    metrics[name] = range.mean
    spread[name] = range
  }
}
