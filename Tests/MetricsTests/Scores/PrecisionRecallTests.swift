import Collectives
import Metrics
import NumericsSupport
import Scores
import TensorCore
import Testing

@Suite struct PrecisionRecallTests {
  private let threads = threadPool(of: 2)

  private func scores(
    _ samples: FeatureMatrix, _ reference: FeatureMatrix, neighbours: Int = 3
  ) throws -> PrecisionRecall {
    try PrecisionRecall.of(
      samples: samples, reference: reference, neighbours: neighbours, over: SingleCommunicator(),
      on: threads)
  }

  /// Every distance in f64, sorted.
  private func plain(
    _ samples: FeatureMatrix, _ reference: FeatureMatrix, neighbours: Int = 3
  ) -> (precision: Double, recall: Double) {
    let width = samples.width
    func distance(_ a: FeatureMatrix, _ i: Int, _ b: FeatureMatrix, _ j: Int) -> Double {
      (0..<width).reduce(0) {
        let d = Double(a.values[i * width + $1]) - Double(b.values[j * width + $1])
        return $0 + d * d
      }
    }
    func share(of candidates: FeatureMatrix, in rows: FeatureMatrix) -> Double {
      let radii = (0..<rows.count).map { i in
        (0..<rows.count).map { distance(rows, i, rows, $0) }.sorted()[neighbours]
      }
      let inside = (0..<candidates.count).count { i in
        (0..<rows.count).contains { distance(candidates, i, rows, $0) <= radii[$0] }
      }
      return Double(inside) / Double(candidates.count)
    }
    return (share(of: samples, in: reference), share(of: reference, in: samples))
  }

  private func expectPlain(
    _ samples: FeatureMatrix, _ reference: FeatureMatrix, neighbours: Int = 3
  ) throws {
    let found = try scores(samples, reference, neighbours: neighbours)
    let expected = plain(samples, reference, neighbours: neighbours)
    #expect(found.precision == expected.precision && found.recall == expected.recall)
  }

  @Test(arguments: [1, 3, 5])
  func theDefinition(neighbours: Int) throws {
    try expectPlain(
      randomRows(300, 11, seed: 1), randomRows(270, 11, seed: 2, scale: 0.7),
      neighbours: neighbours)
  }

  /// More rows than a block.
  @Test func manyRows() throws {
    try expectPlain(randomRows(2300, 3, seed: 3), randomRows(2100, 3, seed: 4, shift: 0.4))
  }

  /// Far from zero the products' own rounding is larger than the distances.
  @Test func rowsFarFromZero() throws {
    func moved(_ rows: FeatureMatrix) -> FeatureMatrix {
      FeatureMatrix(width: rows.width, values: rows.values.map { 3000 + $0 / 64 })
    }
    try expectPlain(
      moved(randomRows(200, 8, seed: 5)), moved(randomRows(220, 8, seed: 6, scale: 0.8)))
  }

  @Test(arguments: [Float(1e-22), 1e-12, 1e12, 1e18])
  func anyScale(_ scale: Float) throws {
    func scaled(_ rows: FeatureMatrix) -> FeatureMatrix {
      FeatureMatrix(width: rows.width, values: rows.values.map { $0 * scale })
    }
    try expectPlain(
      scaled(randomRows(90, 5, seed: 5)), scaled(randomRows(80, 5, seed: 6, scale: 0.8)))
  }

  /// Whole numbers: many distances are equal, and edges count as inside.
  @Test func ties() throws {
    func whole(_ rows: FeatureMatrix) -> FeatureMatrix {
      FeatureMatrix(width: rows.width, values: rows.values.map { ($0 * 2).rounded() })
    }
    try expectPlain(
      whole(randomRows(150, 4, seed: 7)), whole(randomRows(160, 4, seed: 8, scale: 0.9)))
  }

  /// A line of points one apart: a sample in between is two at most from the third neighbour's edge.
  @Test func theEdgeIsInside() throws {
    let line = FeatureMatrix(width: 1, values: (0..<6).map(Float.init))
    // The first point's third neighbour is 3 away, so -3 is just inside, and -3.01 is not.
    let inside = FeatureMatrix(width: 1, values: [-3, -3, -3, -3])
    #expect(try scores(inside, line).precision == 1)
    let outside = FeatureMatrix(width: 1, values: [-3.01, -3.01, -3.01, -3.01])
    #expect(try scores(outside, line).precision == 0)
    // Four equal samples have balls of radius zero.
    #expect(try scores(inside, line).recall == 0)
  }

  @Test func equalSetsScoreOneAndDistantOnesZero() throws {
    let rows = randomRows(100, 16, seed: 9)
    let same = try scores(rows, rows)
    #expect(same.precision == 1 && same.recall == 1)
    let apart = try scores(rows, FeatureMatrix(width: 16, values: rows.values.map { $0 + 100 }))
    #expect(apart.precision == 0 && apart.recall == 0)
  }

  @Test func threadsDoNotShow() throws {
    let (a, b) = (randomRows(333, 20, seed: 1), randomRows(290, 20, seed: 2, scale: 0.9))
    let found = try scores(a, b)
    for count in [1, 3] {
      let other = try PrecisionRecall.of(
        samples: a, reference: b, over: SingleCommunicator(),
        on: try! ThreadPool(threadCount: count))
      #expect(other == found)
    }
  }

  @Test func neighboursMustExist() {
    let message =
      "pr: found 3 reference images, expected at least 4; use a reference of more images"
    #expect {
      try scores(randomRows(9, 2, seed: 1), randomRows(3, 2, seed: 2))
    } throws: { "\($0)".hasPrefix(message) }
  }

  @Test func widthsMustAgree() {
    #expect {
      try scores(randomRows(9, 2, seed: 1), randomRows(9, 3, seed: 2))
    } throws: { "\($0)".hasPrefix("pr: samples have 2 features an image, the reference has 3") }
  }

  @Test func featuresMustBeFinite() {
    let rows = FeatureMatrix(width: 1, values: [1, 2, .infinity, 3])
    #expect { try scores(randomRows(9, 1, seed: 1), rows) } throws: {
      "\($0)".hasPrefix("features 2048 of image 2 are not all finite")
    }
  }
}
