import Evaluation
import Foundation
import Reporting
import Testing
import Training

@Suite("Rows of stats.jsonl")
struct StatsRowTests {
  private let row = StatsRow(
    images: 1_024, epoch: 0.02, loss: 0.5,
    lossByNoiseLevel: [
      NoiseLevelLoss(sigmaMin: 0, sigmaMax: 0.3, images: 7, loss: 0.25),
      NoiseLevelLoss(sigmaMin: 0.3, sigmaMax: 80, images: 0, loss: .nan),
    ], lr: 1e-4, gradNorm: .infinity, imagesPerSecond: 12.5,
    seconds: PhaseSeconds(
      data: 1, forward: 2, backward: 3, exposedComm: 4, hiddenComm: 6, optimizer: 5),
    rankSpread: 0.1,
    rankStepSeconds: RankStepSeconds(
      min: 1, median: 2, max: 3, slowest: 4, slowestPhase: "data"),
    peakRSS: 1 << 30, skipped: 2)

  @Test func keysAreThoseOfTheContract() throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = .sortedKeys
    let text = String(decoding: try encoder.encode(row), as: UTF8.self)
    #expect(
      text
        == #"{"epoch":0.02,"grad_norm":null,"images":1024,"images_per_second":12.5,"loss":0.5,"#
        + #""loss_by_noise_level":[{"images":7,"loss":0.25,"sigma_max":0.3,"sigma_min":0},"#
        + #"{"images":0,"loss":null,"sigma_max":80,"sigma_min":0.3}],"lr":0.0001,"#
        + #""peak_rss":1073741824,"rank_spread":0.1,"#
        + #""rank_step_seconds":{"max":3,"median":2,"min":1,"slowest":4,"slowest_phase":"data"},"#
        + #""seconds":{"backward":3,"data":1,"exposed_comm":4,"forward":2,"hidden_comm":6,"#
        + #""optimizer":5},"skipped":2}"#)
  }

  @Test func theSlowestRankAndWhereItLosesTime() {
    let spread = RankStepSeconds(
      ofPhases: [[1, 2], [1, 8], [3, 3]], names: ["data", "backward"], steps: 2)
    #expect(
      spread
        == RankStepSeconds(min: 1.5, median: 3, max: 4.5, slowest: 1, slowestPhase: "backward"))
  }

  @Test func nullIsReadAsNotANumber() throws {
    let again = try JSONDecoder().decode(
      StatsRow.self, from: try JSONEncoder().encode(row))
    #expect(again.gradNorm.isNaN && again.lossByNoiseLevel[1].loss.isNaN)
    #expect(again.loss == row.loss && again.seconds == row.seconds && again.skipped == 2)
  }
}
