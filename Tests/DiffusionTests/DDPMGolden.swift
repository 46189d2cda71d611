import Diffusion
import FixtureSupport
import Foundation

/// What `ddpm_golden.py` computed from the papers' equations.
struct DDPMGolden: Decodable {
  struct Tables: Decodable, CustomStringConvertible {
    let schedule: String
    let steps: Int
    let at: [Int]
    let rows: [String: [Double]]
    var description: String { "\(schedule), T = \(steps)" }
  }
  struct Respaced: Decodable {
    let steps: Int
    let count: Int
    let timesteps: [Int]
  }
  struct Losses: Decodable {
    struct Kind: Decodable {
      let terms: [Double]
      let share: Double
      let gradient: [Double]
    }
    let timesteps: [Int]
    let weights: [Double]
    let batch: Int
    let clean, noise, raw: [Float]
    let noisy: [Double]
    let kinds: [String: Kind]
  }
  struct Samples: Decodable {
    let schedule: String
    let steps: Int
    let count: Int
    let images: [String: [Double]]
  }
  struct Weights: Decodable {
    let steps: Int
    let scale: Double
    let power: Double
    let at: [Double]
    let weights: [Double]
  }
  struct History: Decodable {
    let steps: Int
    let timesteps: [Int]
    let losses: [Double]
    let probabilities: [Double]
  }

  let tables: [Tables]
  let respaced: [Respaced]
  let losses: Losses
  let seeds: [UInt64]
  let samples: [Samples]
  let guidance: [Weights]
  let history: History

  init() throws {
    let data = try Data(contentsOf: Repository.reference("ddpm.json"))
    self = try JSONDecoder().decode(DDPMGolden.self, from: data)
  }
}

extension DDPM {
  /// By the golden's names; with a learned variance where the loss has one.
  init(_ schedule: String, _ steps: Int, _ loss: Loss = .mse) throws {
    guard let schedule = Schedule(rawValue: schedule) else {
      throw CocoaError(.coderInvalidValue, userInfo: [NSDebugDescriptionErrorKey: schedule])
    }
    self.init(schedule: schedule, steps: steps, loss: loss, learnedVariance: loss == .hybrid)
  }
}

/// Largest |a - b| / |b|.
func ratioError(_ a: [Double], _ b: [Double]) -> Double {
  guard a.count == b.count else { return .infinity }
  return zip(a, b).reduce(0) { worst, pair in
    let off = abs(pair.0 - pair.1)
    return off == 0 ? worst : max(worst, off.isNaN ? .infinity : off / abs(pair.1))
  }
}
