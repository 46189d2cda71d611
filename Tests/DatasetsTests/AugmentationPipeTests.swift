import Datasets
import Images
import Testing

@Suite struct AugmentationPipeTests {
  private let count = 20_000

  private func draws(_ probability: Double, seed: UInt64 = 1) -> [Augmentation] {
    let pipe = AugmentationPipe(probability: probability)
    return (0..<UInt64(count)).map { pipe.draw(seed: seed, position: $0) }
  }

  private func share(_ draws: [Augmentation], _ isTrue: (Augmentation) -> Bool) -> Double {
    Double(draws.count { isTrue($0) }) / Double(draws.count)
  }

  @Test func partsComeWithTheirProbabilities() {
    let all = draws(0.12)
    let cases: [(Double, (Augmentation) -> Bool)] = [
      (0.5, { $0.flipX }), (0.06, { $0.flipY }), (0.12, { $0.scale != 0 }),
      (0.12, { $0.turn != 0 }), (0.12, { $0.stretch != 0 }), (0.06, { $0.axis != 0 }),
      (0.12, { $0.shiftX != 0 && $0.shiftY != 0 }), (0.12, { $0.shiftX != 0 || $0.shiftY != 0 }),
      (0.0144, { $0.scale != 0 && $0.turn != 0 }), (0.06, { $0.flipX && $0.stretch != 0 }),
    ]
    for (index, (wanted, isTrue)) in cases.enumerated() {
      let deviation = (wanted * (1 - wanted) / Double(count)).squareRoot()
      #expect(abs(share(all, isTrue) - wanted) < 4 * deviation, "case \(index)")
    }
  }

  @Test func drawsAreStandardNormalsAndUniformTurns() {
    let all = draws(1)
    let normals: [KeyPath<Augmentation, Double>] = [\.scale, \.stretch, \.shiftX, \.shiftY]
    for path in normals {
      let values = all.map { $0[keyPath: path] }
      let mean = values.reduce(0, +) / Double(count)
      let variance = values.reduce(0) { $0 + $1 * $1 } / Double(count)
      #expect(abs(mean) < 0.03 && abs(variance - 1) < 0.05, "\(path)")
    }
    let turns = all.map(\.turn)
    #expect(turns.allSatisfy { abs($0) <= 0.5 })
    #expect(abs(turns.reduce(0) { $0 + $1 * $1 } / Double(count) - 1.0 / 12) < 0.003)
    for (a, b) in [(\Augmentation.scale, \Augmentation.stretch), (\.shiftX, \.shiftY)] {
      let product = all.reduce(0) { $0 + $1[keyPath: a] * $1[keyPath: b] } / Double(count)
      #expect(abs(product) < 0.03)
    }
  }

  @Test func labelsInTheirOrder() {
    var augmentation = Augmentation()
    #expect(augmentation.labels == [Float](repeating: 0, count: Augmentation.labelCount))
    augmentation.flipX = true
    augmentation.scale = 0.7
    augmentation.turn = 0.25
    augmentation.stretch = -1.5
    augmentation.axis = 1.0 / 12
    augmentation.shiftX = 0.3
    augmentation.shiftY = -2
    let wanted: [Float] = [1, 0, 0.7, -1, 1, -1.299038, -0.75, 0.3, -2]
    #expect(zip(augmentation.labels, wanted).allSatisfy { abs($0 - $1) < 1e-6 })
    augmentation.flipY = true
    #expect(augmentation.labels[1] == 1)
  }

  @Test func isAFunctionOfSeedAndPosition() {
    let pipe = AugmentationPipe(probability: 0.8)
    let image: [Float] = (0..<192).map { (index: Int) in Float(index * 29 % 64) / 32 - 1 }
    func run(_ seed: UInt64, _ position: UInt64) -> ([Float], [Float]) {
      var copy = image
      let labels = pipe(&copy, height: 8, width: 8, seed: seed, position: position)
      return (copy, labels)
    }
    for position in [UInt64(0), 77, 1 << 40] {
      let (first, second) = (run(5, position), run(5, position))
      #expect(first.0 == second.0 && first.1 == second.1)
      #expect(first.1 == pipe.draw(seed: 5, position: position).labels)
      #expect(run(6, position).1 != first.1)
    }
    #expect(run(5, 1).1 != run(5, 2).1)
  }

  /// Extreme draws ask for places far outside the image; a warp keeps averages near those it had.
  @Test func extremeDrawsStayFinite() {
    let image = [Float](repeating: 0.25, count: 16 * 16 * 3)
    for sign in [-1.0, 1] {
      var augmentation = Augmentation()
      augmentation.scale = 6.7 * sign
      augmentation.stretch = 6.7 * sign
      augmentation.axis = 0.13
      augmentation.turn = 0.37
      (augmentation.shiftX, augmentation.shiftY) = (6.7 * sign, -6.7)
      var result = image
      augmentation.apply(to: &result, height: 16, width: 16)
      #expect(result.allSatisfy { abs($0 - 0.25) < 1e-3 })
    }
  }

  @Test func tinyImages() {
    for side in [1, 2, 3] {
      var image = [Float](repeating: 0.5, count: side * side * 3)
      var augmentation = Augmentation()
      augmentation.turn = 0.1
      augmentation.scale = 1
      augmentation.apply(to: &image, height: side, width: side)
      #expect(image.allSatisfy { abs($0 - 0.5) < 1e-3 })
    }
  }
}
