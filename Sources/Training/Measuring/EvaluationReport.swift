import Metrics

/// What `diffit evaluate` found: the numbers, and everything that has to be equal for another number to be
/// comparable.
struct EvaluationReport: Codable, Equatable, Sendable {
  /// What was measured: the run, checkpoint, folder or file.
  var source: String
  /// How its images were drawn; nil where nothing tells.
  var drawing: SampleRecord?
  /// Images a measurement, and measurements.
  var samples: Int
  var repeats: Int
  /// The seeds of the images, where they were drawn.
  var seeds: String?
  /// The reference; nil where nothing was compared.
  var reference: String?
  var referenceImages: Int?
  var features: [Features] = []
  /// By name, the mean of all measurements.
  var metrics: [String: Double] = [:]
  /// By name, over the measurements.
  var spread: [String: Range] = [:]
  var loss: HeldOutLoss?
  var warnings: [String] = []

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

  struct Range: Codable, Equatable, Sendable {
    let mean: Double
    let min: Double
    let max: Double

    init(_ values: [Double]) {
      mean = values.reduce(0, +) / Double(values.count)
      min = values.min() ?? .nan
      max = values.max() ?? .nan
    }
  }

  enum CodingKeys: String, CodingKey {
    case source, drawing, samples, repeats, seeds, reference, features, metrics, spread, loss
    case warnings
    case referenceImages = "reference_images"
  }

  /// Takes up one measurement after the other.
  mutating func add(_ measurements: [[MetricResult]]) {
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

  mutating func note(_ name: String, _ values: [Double]) {
    let range = Range(values)
    metrics[name] = range.mean
    spread[name] = range
  }
}
