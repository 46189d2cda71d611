import Collectives
import FileFormats
import FixtureSupport
import Foundation
import Metrics
import Scores
import TensorCore
import Testing

private let goldens = Repository.reference("metrics")

/// The numbers of torch-fidelity 0.4.0 for the same features; `Tests/Reference/compare_scores.py` wrote
/// them, and holds large ones against it.
@Suite struct GoldenScoresTests {
  private struct Record: Decodable {
    let parts: Int
    let subsets: Int
    let subsetSize: Int
    let expected: [String: Double]

    enum CodingKeys: String, CodingKey {
      case parts, subsets, expected
      case subsetSize = "subset_size"
    }
  }

  @Test func scoresAreThePeers() throws {
    let record = try JSONDecoder().decode(
      Record.self, from: Data(contentsOf: goldens.appendingPathComponent("scores.json")))
    let file = try SafetensorsFile(goldens.appendingPathComponent("scores.safetensors"))
    let metrics: [Metric] = [.fid, .inceptionScore, .kid, .precisionRecall, .sfid]
    let (alone, threads) = (SingleCommunicator(), try! ThreadPool(threadCount: 2))

    var options = MetricOptions()
    options.inceptionScore.parts = .number(record.parts)
    options.kernelDistance.subsets = record.subsets
    options.kernelDistance.subsetSize = record.subsetSize
    var compared: [String] = []
    for metric in metrics {
      func taken(_ side: MetricSide) throws -> MetricAccumulator {
        let name = "\(side.rawValue).\(metric.features.rawValue)"
        let rows = FeatureMatrix(
          width: try file.entry(name).shape[1], values: try file.floats(name))
        var result = try MetricAccumulator(
          metrics: [metric], widths: [metric.features: rows.width], side: side)
        try result.add([metric.features: rows], on: threads)
        return result
      }
      let reference =
        metric.referencePart == .none
        ? .none : try taken(.reference).reference(over: alone, on: threads)
      let results = try taken(.samples)
        .results(against: reference, options, over: alone, on: threads)
      for (name, value) in results.flatMap(\.named) {
        let expected = try #require(record.expected[name])
        // The peer's precision and recall are means in f32.
        let limit = metric == .precisionRecall ? 6e-8 : 1e-9
        #expect(abs(value - expected) <= limit * abs(expected), "\(name): \(value), \(expected)")
        compared.append(name)
      }
    }
    #expect(compared.sorted() == record.expected.keys.sorted())
  }
}
