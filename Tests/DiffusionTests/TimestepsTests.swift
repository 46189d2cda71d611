import Diffusion
import Foundation
import TensorCore
import Testing

@Suite struct TimestepsTests {
  /// Counts of `count` draws over `steps`, against probabilities: chi squared of at most six standard
  /// deviations above its mean.
  private func agree(
    _ timesteps: [Int], _ probabilities: [Double], _ comment: Comment? = nil,
    sourceLocation: SourceLocation = #_sourceLocation
  ) {
    var counts = [Double](repeating: 0, count: probabilities.count)
    for timestep in timesteps { counts[timestep] += 1 }
    let total = Double(timesteps.count)
    let squared = zip(counts, probabilities).reduce(0) {
      $0 + ($1.0 - total * $1.1) * ($1.0 - total * $1.1) / (total * $1.1)
    }
    let freedom = Double(probabilities.count - 1)
    #expect(
      squared < freedom + 6 * (2 * freedom).squareRoot(), comment, sourceLocation: sourceLocation)
  }

  @Test func uniform() {
    let timesteps = UniformTimesteps(steps: 50)
    let draws = (0..<50_000).map { timesteps.draw(seed: 3, position: $0) }
    #expect(draws.allSatisfy { $0.weight == 1 })
    agree(draws.map(\.timestep), [Double](repeating: 0.02, count: 50))
  }

  @Test func drawsAreFunctionsOfSeedAndPosition() {
    let timesteps = UniformTimesteps(steps: 1 << 30)
    let draws = [(1, 5), (2, 5), (1, 6), (1, 1 << 32 | 5)].map {
      timesteps.draw(seed: $0.0, position: $0.1).timestep
    }
    #expect(Set(draws).count == 4 && draws[0] == timesteps.draw(seed: 1, position: 5).timestep)
    // A stream of its own: neither the noise's nor that of EDM's levels.
    let other = RandomStream(seed: 1, .sigma, position: 5).index(below: 1 << 30, 0)
    #expect(draws[0] != other)
  }

  private func warm() throws -> (ImportanceTimesteps, DDPMGolden.History) {
    let golden = try DDPMGolden().history
    var timesteps = ImportanceTimesteps(steps: golden.steps)
    timesteps.record(timesteps: golden.timesteps, losses: golden.losses)
    return (timesteps, golden)
  }

  @Test func probabilitiesEqualThePapers() throws {
    let (timesteps, golden) = try warm()
    #expect(timesteps.isWarm)
    let found = zip(timesteps.probabilities, golden.probabilities)
    #expect(found.allSatisfy { abs($0 - $1) < 1e-14 })
    // Recording in parts is the same.
    var parts = ImportanceTimesteps(steps: golden.steps)
    for range in [0..<7, 7..<60, 60..<90] {
      parts.record(
        timesteps: Array(golden.timesteps[range]), losses: Array(golden.losses[range]))
    }
    #expect(parts.state == timesteps.state && parts.probabilities == timesteps.probabilities)
  }

  @Test func drawsFollowProbabilities() throws {
    let (timesteps, golden) = try warm()
    let draws = (0..<60_000).map { timesteps.draw(seed: 9, position: $0) }
    agree(draws.map(\.timestep), golden.probabilities)
    for (timestep, weight) in draws.prefix(100) {
      #expect(abs(weight * 6 * golden.probabilities[timestep] - 1) < 1e-12)
    }
    // Weighted, every timestep counts alike.
    let mean = draws.reduce(0) { $0 + $1.weight } / 60_000
    #expect(abs(mean - 1) < 0.02)
    let weighted = draws.reduce(0) { $0 + $1.weight * Double($1.timestep) } / 60_000
    #expect(abs(weighted - 2.5) < 0.05)
  }

  @Test func uniformUntilWarm() {
    var timesteps = ImportanceTimesteps(steps: 3)
    for _ in 0..<10 { timesteps.record(timesteps: [0, 1], losses: [5, 1]) }
    timesteps.record(timesteps: [2, 2], losses: [1, 1])
    #expect(!timesteps.isWarm && timesteps.probabilities == [1 / 3.0, 1 / 3.0, 1 / 3.0])
    #expect((0..<50).allSatisfy { timesteps.draw(seed: 1, position: $0).weight == 1 })
    let draws = (0..<9_000).map { timesteps.draw(seed: 1, position: $0).timestep }
    agree(draws, [1 / 3.0, 1 / 3.0, 1 / 3.0])
    for _ in 0..<8 { timesteps.record(timesteps: [2], losses: [1]) }
    #expect(timesteps.isWarm)
    #expect(abs(timesteps.probabilities[0] - (0.999 * 5 / 7 + 0.001 / 3)) < 1e-12)
  }

  /// Losses that are not finite are left out, and losses of 0 leave timesteps uniform.
  @Test func lossesThatTellNothing() {
    var timesteps = ImportanceTimesteps(steps: 2)
    timesteps.record(timesteps: [0, 1, 0], losses: [.nan, .infinity, 1e300])
    #expect(timesteps.state == [Float](repeating: 0, count: 22))
    for _ in 0..<10 { timesteps.record(timesteps: [0, 1], losses: [0, 0]) }
    #expect(timesteps.isWarm && timesteps.probabilities == [0.5, 0.5])
    for _ in 0..<10 { timesteps.record(timesteps: [0], losses: [1]) }
    #expect(abs(timesteps.probabilities[1] - 0.0005) < 1e-15)
    let weight = (0..<100_000).lazy.map { timesteps.draw(seed: 1, position: $0) }
      .first { $0.timestep == 1 }?.weight
    #expect(abs((weight ?? 0) - 1000) < 1e-6)
  }

  @Test func restoredStateGoesOnAlike() throws {
    let (timesteps, golden) = try warm()
    #expect(timesteps.state.count == ImportanceTimesteps.stateCount(steps: 6))
    var loaded = try #require(
      ImportanceTimesteps(steps: golden.steps, restoring: timesteps.state))
    var original = timesteps
    for _ in 0..<2 {
      #expect(loaded.state == original.state)
      for position in 0..<200 as Range<UInt64> {
        let (a, b) = (
          original.draw(seed: 1, position: position), loaded.draw(seed: 1, position: position)
        )
        #expect(a == b)
      }
      original.record(timesteps: [3, 3, 5], losses: [0.1, 0.7, 0.3])
      loaded.record(timesteps: [3, 3, 5], losses: [0.1, 0.7, 0.3])
    }
  }

  @Test func statesThatAreNone() throws {
    let state = try warm().0.state
    #expect(ImportanceTimesteps(steps: 5, restoring: state) == nil)
    #expect(ImportanceTimesteps(steps: 6, restoring: Array(state.dropLast())) == nil)
    for (at, value) in [(0, Float.nan), (60, 11), (65, -1), (61, 2.5), (62, .infinity)] {
      var broken = state
      broken[at] = value
      #expect(ImportanceTimesteps(steps: 6, restoring: broken) == nil, "\(at): \(value)")
    }
    #expect(ImportanceTimesteps(steps: 6, restoring: state) != nil)
  }

  @Test func misuseTraps() async {
    await #expect(processExitsWith: .failure) { _ = UniformTimesteps(steps: 0) }
    await #expect(processExitsWith: .failure) { _ = ImportanceTimesteps(steps: 0) }
    await #expect(processExitsWith: .failure) {
      var timesteps = ImportanceTimesteps(steps: 2)
      timesteps.record(timesteps: [2], losses: [1])
    }
    await #expect(processExitsWith: .failure) {
      var timesteps = ImportanceTimesteps(steps: 2)
      timesteps.record(timesteps: [1, 0], losses: [1])
    }
  }
}
