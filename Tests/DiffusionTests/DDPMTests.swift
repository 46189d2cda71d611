import Diffusion
import Foundation
import Testing

/// Tables, timesteps and levels against `ddpm_golden.py`.
@Suite struct DDPMTableTests {
  private let golden: DDPMGolden

  init() throws { golden = try DDPMGolden() }

  @Test func tablesEqualThePapers() throws {
    #expect(golden.tables.count == 8)
    for recorded in golden.tables {
      let ddpm = try DDPM(recorded.schedule, recorded.steps)
      let tables = [
        "betas": ddpm.betas, "alphasCumulative": ddpm.alphasCumulative,
        "posteriorVariance": ddpm.posteriorVariance,
        "posteriorLogVarianceClipped": ddpm.posteriorLogVarianceClipped,
        "posteriorMeanClean": ddpm.posteriorMeanClean,
        "posteriorMeanNoisy": ddpm.posteriorMeanNoisy, "sigmas": ddpm.sigmas,
      ]
      #expect(Set(tables.keys) == Set(recorded.rows.keys))
      for (name, table) in tables {
        #expect(table.count == recorded.steps)
        let error = ratioError(recorded.at.map { table[$0] }, try #require(recorded.rows[name]))
        #expect(error < 1e-10, "\(name), \(recorded): \(error)")
      }
    }
  }

  /// What is published of the usual chain.
  @Test func knownValues() {
    let ddpm = DDPM()
    #expect(ddpm.schedule == .linear && ddpm.steps == 1000 && ddpm.loss == .mse)
    #expect(ddpm.betas[0] == 1e-4 && abs(ddpm.betas[999] - 0.02) < 1e-17)
    #expect(ddpm.posteriorVariance[0] == 0)
    #expect(abs(ddpm.posteriorMeanClean[0] - 1) < 1e-11 && ddpm.posteriorMeanNoisy[0] == 0)
    #expect(abs(ddpm.sigma(timestep: 0) - 0.010_000_5) < 1e-8)
    #expect(ddpm.sigma(timestep: 999) > 157 && ddpm.sigma(timestep: 999) < 158)
    #expect(abs(DDPM(steps: 500).betas[499] - 0.02) < 1e-17)
    #expect(DDPM(schedule: .cosine).betas.max() == 0.999)
  }

  @Test func respacedTimesteps() throws {
    for recorded in golden.respaced {
      let ddpm = DDPM(steps: recorded.steps)
      #expect(ddpm.respaced(recorded.count) == recorded.timesteps)
      let levels = ddpm.levels(respaced: recorded.count)
      #expect(levels.steps == recorded.count)
      #expect(
        levels.sigmas == recorded.timesteps.reversed().map { ddpm.sigma(timestep: $0) } + [0])
      #expect(abs(levels.first * levels.first - 1 - levels[0] * levels[0]) < 1e-10)
    }
    #expect(DDPM().respaced(1000) == Array(0..<1000))
    #expect(DDPM().respaced(1) == [999])
  }

  @Test(arguments: DDPM.Schedule.allCases, [2, 500, 1000])
  func timestepIsTheInverseOfSigma(_ schedule: DDPM.Schedule, _ steps: Int) {
    let ddpm = DDPM(schedule: schedule, steps: steps)
    for timestep in 0..<steps {
      #expect(ddpm.timestep(sigma: ddpm.sigma(timestep: timestep)) == Double(timestep))
    }
    for timestep in 0..<steps - 1 {  // between them, linear in ln sigma
      let (low, high) = (ddpm.sigma(timestep: timestep), ddpm.sigma(timestep: timestep + 1))
      let sigma = exp(0.7 * log(low) + 0.3 * log(high))
      #expect(abs(ddpm.timestep(sigma: sigma) - Double(timestep) - 0.3) < 1e-9)
    }
    #expect(ddpm.timestep(sigma: 0) == 0 && ddpm.timestep(sigma: 1e-9) == 0)
    #expect(ddpm.timestep(sigma: 1e9) == Double(steps - 1))
    #expect(ddpm.timestep(sigma: .infinity) == Double(steps - 1))
  }

  @Test func misuseTraps() async {
    await #expect(processExitsWith: .failure) { _ = DDPM(steps: 1) }
    await #expect(processExitsWith: .failure) { _ = DDPM(loss: .hybrid) }
    await #expect(processExitsWith: .failure) { _ = DDPM(loss: .mse, learnedVariance: true) }
    await #expect(processExitsWith: .failure) { _ = DDPM(loss: .smoothL1, learnedVariance: true) }
    await #expect(processExitsWith: .failure) { _ = DDPM(steps: 10).respaced(11) }
    await #expect(processExitsWith: .failure) { _ = DDPM(steps: 10).respaced(0) }
    await #expect(processExitsWith: .failure) { _ = DDPM(steps: 10).sigma(timestep: 10) }
    await #expect(processExitsWith: .failure) { _ = DDPM(steps: 10).sigma(timestep: -1) }
    await #expect(processExitsWith: .failure) { _ = DDPM(steps: 10).timestep(sigma: .nan) }
    await #expect(processExitsWith: .failure) { _ = NoiseLevels([1, 0], first: 0) }
  }
}
