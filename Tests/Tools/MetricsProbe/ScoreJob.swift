import Collectives
import FileFormats
import Foundation
import Metrics
import Scores
import TensorCore

/// All scores that a file of features is good for.
struct ScoreJob {
  let path: String
  var threads = 2
  /// Rows that an accumulator gets at once.
  var batch = 250
  var options = MetricOptions()

  init?(_ arguments: [String]) {
    guard let path = arguments.first else { return nil }
    self.path = path
    for argument in arguments.dropFirst() {
      let parts = argument.split(separator: "=")
      guard parts.count == 2, let value = Int(parts[1]), value > 0 else { return nil }
      switch parts[0] {
      case "threads": threads = value
      case "batch": batch = value
      case "parts": options.inceptionScore.parts = .number(value)
      case "subsets": options.kernelDistance.subsets = value
      case "subset_size": options.kernelDistance.subsetSize = value
      default: return nil
      }
    }
  }

  /// Each metric by itself, so that its time is its own.
  func run(over communicator: any Communicator) throws {
    let file = try communicator.agree { try SafetensorsFile(URL(fileURLWithPath: path)) }
    let pool = try! ThreadPool(threadCount: threads)
    for metric in Metric.allCases {
      guard let samples = try rows("samples", metric.features, file, communicator) else { continue }
      var reference = MetricReference.none
      if metric.referencePart != .none {
        guard let rows = try rows("reference", metric.features, file, communicator) else {
          continue
        }
        reference = try taken(rows, metric, .reference, pool)
          .reference(over: communicator, on: pool)
      }
      try communicator.barrier()
      let clock = ContinuousClock()
      let start = clock.now
      let own = try taken(samples, metric, .samples, pool)
      let sums = clock.now
      let results = try own.results(against: reference, options, over: communicator, on: pool)
      guard communicator.rank == 0 else { continue }
      for result in results {
        print(line(result, taken: start.duration(to: sums), sums.duration(to: clock.now)))
      }
    }
  }

  /// This rank's rows; nil where the file has none.
  private func rows(
    _ side: String, _ kind: FeatureKind, _ file: SafetensorsFile, _ communicator: any Communicator
  ) throws -> FeatureMatrix? {
    guard let entry = file["\(side).\(kind.rawValue)"] else { return nil }
    let all = FeatureMatrix(width: entry.shape[1], values: try file.floats(entry.name))
    return all.rows(communicator.share(of: all.count))
  }

  private func taken(
    _ rows: FeatureMatrix, _ metric: Metric, _ side: MetricSide, _ pool: ThreadPool
  ) throws -> MetricAccumulator {
    var accumulator = try MetricAccumulator(
      metrics: [metric], widths: [metric.features: rows.width], side: side)
    for start in stride(from: 0, to: rows.count, by: batch) {
      let part = rows.rows(start..<min(start + batch, rows.count))
      try accumulator.add([metric.features: part], on: pool)
    }
    return accumulator
  }

  private func line(_ result: MetricResult, taken: Duration, _ scored: Duration) -> String {
    let values = result.named.map { "\"\($0.name)\": \($0.value)" }.joined(separator: ", ")
    return "{\"metric\": \"\(result.metric.rawValue)\", \(values), \"images\": \(result.images),"
      + " \"seconds_sums\": \(taken / .seconds(1)), \"seconds\": \(scored / .seconds(1))}"
  }
}
