import FixtureSupport
import Foundation
import Optimization
import TensorCore
import Testing

@Suite struct PowerFunctionTests {
  /// The two that the paper names, and the standard deviation of the profile itself.
  @Test func exponents() {
    #expect(abs(PowerFunctionProfile(length: 0.05).gamma - 16.97) < 0.005)
    #expect(abs(PowerFunctionProfile(length: 0.10).gamma - 6.94) < 0.005)
    for length in [0.001, 0.01, 0.03, 0.15, 0.25, 0.28] {
      let g = PowerFunctionProfile(length: length).gamma
      // Mean and variance of t on [0, 1] with the density (g + 1) t^g.
      let mean = (g + 1) / (g + 2)
      let variance = (g + 1) / (g + 3) - mean * mean
      #expect(abs(variance.squareRoot() - length) < 1e-9, "\(length)")
      #expect(g > 0)
    }
  }

  /// Averages of a walk, followed step by step through `ExponentialAverage`, and rebuilt from
  /// snapshots, against NumPy.
  @Test func againstNumPy() throws {
    let golden = try RecipeGolden.read().averages
    let drift = RecipeGolden.walk(3 * golden.steps, 5).map { 0.05 * Double($0) }
    var (position, weights) = ([0.0, 0.0, 0.0], [[Double]]())
    for step in 0..<golden.steps {
      position = (0..<3).map { position[$0] + drift[3 * step + $0] }
      weights.append(position.map { $0 + Double(step).squareRoot() })
    }
    var snapshots: [(PowerFunctionProfile.Snapshot, values: [Double])] = []
    func track(_ length: Double, isKept: Bool) -> [Double] {
      let profile = PowerFunctionProfile(length: length)
      var value = [0.0, 0.0, 0.0]
      for step in 0..<golden.steps {
        let seen = step * golden.batch
        let beta = profile.beta(batch: golden.batch, imagesSeen: seen)
        value = (0..<3).map { beta * value[$0] + (1 - beta) * weights[step][$0] }
        let images = seen + golden.batch
        if isKept && images % golden.every == 0 {
          snapshots.append((.init(images: images, profile: profile), value))
        }
      }
      return value
    }
    for length in golden.lengths { _ = track(length, isKept: true) }
    for row in golden.rows {
      let profile = PowerFunctionProfile(length: row.length)
      #expect(abs(profile.gamma / row.gamma - 1) < 1e-7)
      let direct = track(row.length, isKept: false)
      for (found, expected) in zip(direct, row.tracked) { #expect(abs(found - expected) < 1e-6) }
      let factors = try #require(
        profile.coefficients(
          of: snapshots.map(\.0), images: golden.steps * golden.batch))
      #expect(abs(factors.reduce(0, +) - 1) < 1e-12)
      let rebuilt = (0..<3).map { axis in
        zip(factors, snapshots).reduce(0) { $0 + $1.0 * $1.1.values[axis] }
      }
      for (found, expected) in zip(rebuilt, row.rebuilt) { #expect(abs(found - expected) < 1e-6) }
      // Near the average that was followed: the walk moves by 30 on the way.
      for (found, expected) in zip(rebuilt, direct) { #expect(abs(found - expected) < 0.02) }
    }
  }

  @Test func theFirstUpdateCopiesTheWeights() {
    let context = ComputeContext()
    let average = ExponentialAverage(
      name: "a", profile: PowerFunctionProfile(length: 0.1), of: Tensor([1], [1], on: context),
      owned: OptimizerPartition(all: 1))
    #expect(average.beta(batch: 64, imagesSeen: 0) == 0)
    let expected = Foundation.pow(1 - 64.0 / 6_400, average.profile.map { $0.gamma + 1 } ?? 0)
    #expect(abs(average.beta(batch: 64, imagesSeen: 6_336) - expected) < 1e-12)
  }

  /// The same snapshot twice has no single solution.
  @Test func dependentSnapshots() {
    let snapshot = PowerFunctionProfile.Snapshot(
      images: 100, profile: PowerFunctionProfile(length: 0.05))
    let wanted = PowerFunctionProfile(length: 0.1)
    #expect(wanted.coefficients(of: [snapshot, snapshot], images: 100) == nil)
    #expect(wanted.coefficients(of: [snapshot], images: 100) == [1])
  }
}
