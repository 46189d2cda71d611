import CommandSupport
import Foundation
import Metrics
import Sampling
import SystemSupport
import TensorCore

/// The result of `diffit evaluate`: the numbers, and everything that must be equal for other
/// numbers to be comparable with them.
package struct EvaluationReport: Codable, Equatable, Sendable {
  /// The program that measured; nil in a report of a version before 0.2.
  package var build: String? = Build.description(kernels: KernelTable.best.level)
  /// What was measured: the run, checkpoint, folder or file.
  package var source: String
  /// How its images were sampled; nil where that is not known.
  var sampling: SampleRecord?
  /// Images per measurement.
  package var samples: Int
  /// Number of measurements.
  package var repeats: Int
  /// The seeds of the images, `0-49999`, where they were sampled.
  package var seeds: String?
  /// The path of the reference; nil where nothing was compared.
  package var reference: String?
  /// Number of reference images, where it is known.
  package var referenceImages: Int?
  /// The feature networks.
  var features: [Features] = []
  /// The mean over the measurements, by the name of the number.
  package var metrics: [String: Double] = [:]
  /// Mean, least and greatest value over the measurements, by the name of the number.
  package var spread: [String: Range] = [:]
  /// The held-out denoising loss, where it was asked for.
  package var loss: HeldOutLoss?
  /// What a reader of the numbers has to know, one line each.
  package var warnings: [String] = []

  /// A feature network.
  struct Features: Codable, Equatable, Sendable {
    let name: String
    let digest: String
    /// How images were brought to the network's input.
    let `protocol`: String

    init(_ extractor: any FeatureExtractor) {
      (name, digest) = (extractor.name, extractor.digest)
      `protocol` = extractor.protocolName
    }
  }

  /// One number over all measurements.
  package struct Range: Codable, Equatable, Sendable {
    /// The mean.
    package let mean: Double
    /// The least value.
    package let min: Double
    /// The greatest value.
    package let max: Double

    /// Summarises the values of all measurements, at least one.
    package init(_ values: [Double]) {
      mean = values.reduce(0, +) / Double(values.count)
      min = values.min() ?? .nan
      max = values.max() ?? .nan
    }
  }

  /// The names in JSON.
  package enum CodingKeys: String, CodingKey {
    case build, source, samples, repeats, seeds, reference, features, metrics, spread, loss
    case warnings
    case sampling = "drawing"
    case referenceImages = "reference_images"
  }

  /// Adds the results of all measurements.
  ///
  /// - Parameter measurements: for each measurement the same metrics in the same order.
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

  /// Adds the values of one number, one per measurement.
  package mutating func note(_ name: String, _ values: [Double]) {
    let range = Range(values)
    metrics[name] = range.mean
    spread[name] = range
  }
}

extension EvaluationReport {
  /// The report as text.
  ///
  /// - Parameter names: the names of the numbers, in the order to print them.
  package func text(_ names: [String]) -> String {
    var lines = ["", "images      \(source): \(sampled)"]
    if let sampling { lines.append("sampled     \(sampling.summary)") }
    if let reference {
      lines.append(
        "reference   \(reference)"
          + (referenceImages.map { ", \(Format.quantity($0, "image"))" } ?? ""))
    }
    for network in features {
      lines.append(
        "features    \(network.name) (\(network.digest)), protocol \(network.protocol)")
    }
    lines.append("")
    let columns = repeats > 1 ? ["mean", "min", "max"] : ["value"]
    var table = TextTable(
      [.left("metric", width: 12)] + columns.map { TextTable.Column.right($0, width: 10) })
    for name in names {
      guard let range = spread[name] else { continue }
      let values = repeats > 1 ? [range.mean, range.min, range.max] : [range.mean]
      table.add([name] + values.map(Self.number))
    }
    lines += table.lines
    if let loss { lines += levels(of: loss) }
    lines += warnings.map { "warning: \($0)" }
    return lines.joined(separator: "\n")
  }

  private var sampled: String {
    guard samples > 0 else { return "no images sampled" }
    let count = "\(repeats > 1 ? "\(repeats) x " : "")\(Format.quantity(samples, "image"))"
    return seeds.map { "\(count), seeds \($0)" } ?? count
  }

  /// Six significant digits.
  package static func number(_ value: Double) -> String { String(format: "%.6g", value) }

  private func levels(of loss: HeldOutLoss) -> [String] {
    var table = TextTable([.left(width: 12), .right(width: 10), .right(width: 10)])
    for level in loss.byNoiseLevel {
      let end = level.sigmaMax.isFinite ? "to \(level.sigmaMax)" : "on"
      table.add([
        "\(level.sigmaMin) \(end)", level.images > 0 ? Self.number(level.loss) : "-",
        Format.quantity(level.images, "image"),
      ])
    }
    return ["", "loss by noise level, \(Format.quantity(loss.images, "held-out image"))"]
      + table.lines
  }
}
