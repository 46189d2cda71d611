import Diffusion
import Foundation
import Testing

@Suite struct NoiseLevelsTests {
  @Test func edm() {
    let t = NoiseLevels.edm(steps: 18)
    #expect(t.steps == 18 && t.sigmas.count == 19)
    #expect(abs(t.first - 80) < 1e-11 && abs(t[17] - 0.002) < 1e-15 && t[18] == 0)
    #expect(zip(t.sigmas, t.sigmas.dropFirst()).allSatisfy { $0 > $1 })
    // Equal steps in sigma^(1/7), eq. (5).
    let roots = t.sigmas.dropLast().map { pow($0, 1 / 7) }
    let steps = zip(roots, roots.dropFirst()).map { $0 - $1 }
    #expect(steps.allSatisfy { abs($0 - steps[0]) < 1e-12 })
  }

  @Test func edmWithOtherSettings() {
    let t = NoiseLevels.edm(steps: 3, sigmaMin: 1, sigmaMax: 9, rho: 2)  // roots 3, 2, 1
    for (t, expected) in zip(t.sigmas, [9.0, 4, 1, 0]) { #expect(abs(t - expected) < 1e-12) }
    let one = NoiseLevels.edm(steps: 1, sigmaMin: 1, sigmaMax: 9, rho: 2)
    #expect(one.steps == 1 && abs(one.first - 9) < 1e-12)
  }

  @Test func logarithmic() {
    let t = NoiseLevels.logarithmic(steps: 5, sigmaMin: 0.01, sigmaMax: 100)
    for (t, expected) in zip(t.sigmas, [100, 10, 1, 0.1, 0.01, 0]) {
      #expect(abs(t - expected) <= 1e-12 * expected)
    }
    #expect(NoiseLevels.logarithmic(steps: 1).sigmas == [80, 0])
  }

  /// Levels of a DDPM schedule, linear beta, every 100th step.
  @Test func levelsOfAnotherProcess() {
    var kept = 1.0
    let all = (0..<1000).map { t in
      kept *= 1 - (1e-4 + (0.02 - 1e-4) * Double(t) / 999)
      return ((1 - kept) / kept).squareRoot()
    }
    let t = NoiseLevels(stride(from: 999, to: 0, by: -100).map { all[$0] } + [0])
    #expect(t.steps == 10 && t.first > 150 && t.first < 160)
  }

  @Test func listsThatDoNotFallToZeroTrap() async {
    await #expect(processExitsWith: .failure) { _ = NoiseLevels([1, 0.5]) }
    await #expect(processExitsWith: .failure) { _ = NoiseLevels([0]) }
    await #expect(processExitsWith: .failure) { _ = NoiseLevels([1, 2, 0]) }
    await #expect(processExitsWith: .failure) { _ = NoiseLevels([1, 1, 0]) }
    await #expect(processExitsWith: .failure) { _ = NoiseLevels([.infinity, 1, 0]) }
    await #expect(processExitsWith: .failure) { _ = NoiseLevels([1, .nan, 0]) }
  }

  @Test func settingsWithoutAScheduleTrap() async {
    await #expect(processExitsWith: .failure) { _ = NoiseLevels.edm(steps: 0) }
    await #expect(processExitsWith: .failure) { _ = NoiseLevels.edm(steps: 3, sigmaMin: 0) }
    await #expect(processExitsWith: .failure) { _ = NoiseLevels.edm(steps: 3, sigmaMin: 90) }
    await #expect(processExitsWith: .failure) { _ = NoiseLevels.edm(steps: 3, rho: 0) }
    await #expect(processExitsWith: .failure) { _ = NoiseLevels.logarithmic(steps: 0) }
  }
}
