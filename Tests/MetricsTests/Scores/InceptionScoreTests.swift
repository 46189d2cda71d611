import Foundation
import Metrics
import NumericsSupport
import Scores
import TensorCore
import Testing

@Suite struct InceptionScoreTests {
  private let threads = threadPool(of: 2)
  private let inOrder = InceptionScore.Options(parts: .number(2), shuffle: nil)

  private func oneHot(_ labels: [Int], classes: Int, height: Float) -> FeatureMatrix {
    FeatureMatrix(
      width: classes,
      values: labels.flatMap { label in (0..<classes).map { $0 == label ? height : 0 } })
  }

  @Test func answersThatNeverChangeScoreOne() throws {
    let logits = FeatureMatrix(
      width: 5, values: (0..<20).flatMap { _ -> [Float] in [3, -1, 0, 2, 7] })
    let score = try InceptionScore.of(logits, on: threads)
    #expect(abs(score.mean - 1) < 1e-14 && score.deviation < 1e-14)
  }

  /// Sure answers, each class as often: the number of classes. Probabilities underflow to 0 on the way.
  @Test func sureAndVariedAnswersScoreTheNumberOfClasses() throws {
    let logits = oneHot((0..<40).map { $0 % 4 }, classes: 4, height: 1e4)
    let score = try InceptionScore.of(logits, inOrder, on: threads)
    #expect(abs(score.mean - 4) < 1e-12 && score.deviation < 1e-12)
  }

  /// Against the definition, KL by KL, with uneven parts.
  @Test func theDefinition() throws {
    let logits = randomRows(23, 6, seed: 5)
    let options = InceptionScore.Options(parts: .number(4), shuffle: nil)
    let score = try InceptionScore.of(logits, options, on: threads)
    let rows = (0..<23).map { row -> [Double] in
      let values = logits.values[row * 6..<row * 6 + 6].map { exp(Double($0)) }
      return values.map { $0 / values.reduce(0, +) }
    }
    let scores = [0..<5, 5..<11, 11..<17, 17..<23].map { part -> Double in
      let mean = (0..<6).map { c in rows[part].reduce(0) { $0 + $1[c] } / Double(part.count) }
      let divergences = rows[part].map { p in
        zip(p, mean).reduce(0) { $0 + $1.0 * (log($1.0) - log($1.1)) }
      }
      return exp(divergences.reduce(0, +) / Double(part.count))
    }
    let mean = scores.reduce(0, +) / 4
    let variance = scores.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / 4
    #expect(abs(score.mean - mean) < 1e-13)
    #expect(abs(score.deviation - variance.squareRoot()) < 1e-12)
  }

  /// Sorted by class each part sees one class; shuffled it sees several.
  @Test func shufflingMixesClasses() throws {
    let logits = oneHot((0..<40).map { $0 / 20 }, classes: 2, height: 50)
    let sorted = try InceptionScore.of(logits, inOrder, on: threads)
    #expect(abs(sorted.mean - 1) < 1e-12)
    let mixed = try InceptionScore.of(
      logits, InceptionScore.Options(parts: .number(2)), on: threads)
    #expect(mixed.mean > 1.8)
  }

  /// Ten parts of fifty thousand are parts of five thousand; a rest is a part too.
  @Test func partsOfSoManyImages() throws {
    let logits = randomRows(60, 3, seed: 8)
    let by = InceptionScore.Options(parts: .images(30), shuffle: nil)
    #expect(
      try InceptionScore.of(logits, by, on: threads)
        == InceptionScore.of(logits, inOrder, on: threads))
    let rest = InceptionScore.Options(parts: .images(59), shuffle: nil)
    #expect(try InceptionScore.of(logits, rest, on: threads).deviation > 0)
    #expect(InceptionScore.Options.adm.parts == .images(5000))
    #expect(InceptionScore.Options.adm.shuffle == nil)
  }

  @Test func aPartMayNotBeEmpty() {
    #expect(
      throws: MetricsError.tooFewImages(metric: "is", side: .samples, found: 9, needed: 10)
    ) { try InceptionScore.of(randomRows(9, 3, seed: 1), on: threads) }
  }

  @Test func logitsMustBeFinite() {
    var values = randomRows(12, 3, seed: 1).values
    values[3 * 5 + 1] = .nan
    let logits = FeatureMatrix(width: 3, values: values)
    #expect(throws: MetricsError.nonFiniteFeature(features: "logits", row: 5)) {
      try InceptionScore.of(logits, on: threads)
    }
  }
}
