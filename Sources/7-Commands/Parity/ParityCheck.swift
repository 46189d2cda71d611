import Autodiff
import Checkpoints
import CommandSupport
import Configuration
import DiffiTModels
import Foundation
import ModelLoading
import SystemSupport
import TensorCore

/// `diffit parity`: the network against a golden file of the PyTorch oracle.
package enum ParityCheck {
  /// Compares and reports; only the first process does anything.
  package static func run(_ options: ParityOptions) throws {
    guard ProcessRank.isFirst else { return }
    let threads = options.threads > 0 ? options.threads : ThreadPool.availableCores
    let context = ComputeContext(threadCount: threads)
    let golden = try Golden(options.golden)
    let report = try compare(
      golden, precision: options.precision, tolerance: options.tolerance, on: context)
    if options.json != "-" { try StandardStreams.printLine(report.table) }
    if let path = options.json { try writeJSON(report, to: path) }
    if !report.passed {
      throw ParityFailure(
        golden: options.golden, worst: report.failure?.error ?? report.worst,
        tolerance: report.failure?.allowed ?? options.tolerance)
    }
  }

  /// Runs the network of a golden file on its inputs and compares outputs and gradients.
  package static func compare(
    _ golden: Golden, precision: TrainSettings.Precision = .fp32, tolerance: Double,
    on context: ComputeContext
  ) throws -> ParityReport {
    let network = golden.settings.network(precision: precision.dtype, recomputes: false)
    let parameters = network.parameters
    parameters.allocate(on: context, gradients: true)
    try ModelFile.load(golden.file, parameters.table, prefix: "param.", into: parameters.weights)
    let expected = Tensor([parameters.flatCount], on: context)
    expected.fill(0)
    try ModelFile.load(golden.file, parameters.table, prefix: "grad.", into: expected)

    var report = ParityReport(
      tolerance: tolerance, tableTolerance: precision == .bf16 ? tolerance * 5 / 3 : tolerance)
    parameters.beginStep()
    report.outputs =
      switch golden.task {
      case .image(let task): try task.run(network, on: context)
      case .latent(let task): try task.run(network, on: context)
      }
    parameters.zeroMissingGradients()
    // A gradient that is zero but for rounding is compared with the largest one instead.
    let largest = expected.floats.map(abs).max() ?? 0
    for parameter in parameters.parameters {
      let reference = expected.view(at: parameter.offset, [parameter.count]).floats
      report.gradients[parameter.name] = relativeError(
        parameter.gradient.floats, reference, floor: (below: 1e-5 * largest, use: largest))
    }
    return report
  }

  /// max |a - b| / max |b|; where max |b| is below `floor.below`, max |a - b| / `floor.use`. Not
  /// finite where a is not.
  package static func relativeError(
    _ a: [Float], _ b: [Float], floor: (below: Float, use: Float) = (0, 0)
  ) -> Double {
    invariant(a.count == b.count, "relativeError: \(a.count) values against \(b.count)")
    var difference: Float = 0
    for (x, y) in zip(a, b) {
      let one = abs(x - y)
      if !one.isFinite { return .infinity }
      difference = max(difference, one)
    }
    let largest = b.map(abs).max() ?? 0
    let scale = largest < floor.below ? floor.use : largest
    return scale > 0 ? Double(difference) / Double(scale) : Double(difference)
  }
}

/// Relative errors by name.
package struct ParityReport: Codable, Equatable, Sendable {
  /// By the output's name.
  package var outputs: [String: Double] = [:]
  /// By the parameter's name.
  package var gradients: [String: Double] = [:]
  /// The largest error of all.
  package var worst: Double { (Array(outputs.values) + gradients.values).max() ?? .infinity }
  /// Whether every error is within its tolerance.
  package var passed: Bool {
    outputs.values.allSatisfy { $0 <= tolerance }
      && gradients.allSatisfy { $1 <= tolerance(of: $0) } && !outputs.isEmpty
  }
  private let tolerance: Double
  /// Of gradients of bias tables: in bf16 they are sums of many small differences.
  private let tableTolerance: Double

  init(tolerance: Double, tableTolerance: Double? = nil) {
    self.tolerance = tolerance
    self.tableTolerance = tableTolerance ?? tolerance
  }

  private func tolerance(of parameter: String) -> Double {
    parameter.hasSuffix(".bias.table") ? tableTolerance : tolerance
  }

  enum CodingKeys: String, CodingKey { case outputs, gradients, worst, passed }

  package func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(outputs, forKey: .outputs)
    try container.encode(gradients, forKey: .gradients)
    try container.encode(worst, forKey: .worst)
    try container.encode(passed, forKey: .passed)
  }

  package init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    outputs = try container.decode([String: Double].self, forKey: .outputs)
    gradients = try container.decode([String: Double].self, forKey: .gradients)
    tolerance = try container.decode(Bool.self, forKey: .passed) ? .infinity : 0
    tableTolerance = tolerance
  }

  /// Every tensor: its name, its error and what is allowed.
  private var rows: [(name: String, error: Double, allowed: Double)] {
    outputs.map { ("output.\($0)", $1, tolerance) }
      + gradients.map { ("grad.\($0)", $1, tolerance(of: $0)) }
  }

  /// The worst of the tensors that are too far off.
  package var failure: (error: Double, allowed: Double)? {
    rows.filter { !($0.error <= $0.allowed) }.max { $0.error < $1.error }
      .map { ($0.error, $0.allowed) }
  }

  /// One line per tensor, the worst first.
  package var table: String {
    let lines = rows.sorted { ($0.error, $0.name) > ($1.error, $1.name) }.map {
      "\(Format.scientific($0.error, 2))  \($0.error <= $0.allowed ? " " : "!")  \($0.name)"
    }
    let verdict = passed ? "passed" : "FAILED"
    return
      (lines + [
        "\(verdict): \(rows.count) tensors, worst \(Format.scientific(worst, 2)),"
          + " tolerance \(Format.scientific(tolerance, 0))"
          + (tableTolerance > tolerance
            ? ", of bias tables \(Format.scientific(tableTolerance, 0))" : "")
      ]).joined(separator: "\n")
  }
}

/// A tensor was farther from the oracle's than the tolerance.
package struct ParityFailure: Error, Equatable, Sendable, CustomStringConvertible {
  /// The golden file.
  package let golden: String
  /// The error of the worst tensor that is too far off.
  package let worst: Double
  /// The error that this tensor may have.
  package let tolerance: Double

  package var description: String {
    "\(golden): relative error \(Format.scientific(worst, 2)), expected at most"
      + " \(Format.scientific(tolerance, 0)); the lines marked ! are too far off"
  }
}
