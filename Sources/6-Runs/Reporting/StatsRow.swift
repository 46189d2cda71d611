import CommandSupport
import Evaluation

/// One row of `stats.jsonl`: the figures of a tick, which is the time since the row before. Keys
/// are in snake case. A figure that is not finite is written as `null`.
package struct StatsRow: Codable, Equatable, Sendable {
  /// When the row was written, in UTC by ISO 8601; nil in rows of versions before 0.2.
  package var time: String?
  /// Images of all ranks since the run began.
  package var images: Int
  /// Passes over the data set: images seen / images in the set.
  package var epoch: Double
  /// Mean loss over the tick's images.
  @FiniteOrNull package var loss: Double
  /// The mean loss at each noise level; empty where the loss is not that of a denoiser.
  package var lossByNoiseLevel: [NoiseLevelLoss]
  /// Mean of each term of the loss, by name; nil where the loss has no terms.
  package var terms: [String: Double]?
  /// Learning rate at the tick's last step.
  package var lr: Double
  /// Norm of the averaged gradient, before clipping, at the tick's last step.
  @FiniteOrNull package var gradNorm: Double
  /// Images of all ranks per second.
  package var imagesPerSecond: Double
  /// Where the time went.
  package var seconds: PhaseSeconds
  /// The slowest rank's time / the fastest rank's time - 1; 0 where all ranks are equally fast.
  package var rankSpread: Double
  /// The ranks' working time per step.
  package var rankStepSeconds: RankStepSeconds
  /// Peak memory in bytes, of the rank that holds most.
  package var peakRSS: Int
  /// Updates left out since the run began because the loss or a gradient was not finite.
  package var skipped: Int

  /// A row of these figures.
  package init(
    time: String? = nil, images: Int, epoch: Double, loss: Double,
    lossByNoiseLevel: [NoiseLevelLoss],
    terms: [String: Double]? = nil, lr: Double, gradNorm: Double, imagesPerSecond: Double,
    seconds: PhaseSeconds, rankSpread: Double,
    rankStepSeconds: RankStepSeconds, peakRSS: Int, skipped: Int
  ) {
    (self.time, self.images) = (time, images)
    self.epoch = epoch
    self.loss = loss
    self.lossByNoiseLevel = lossByNoiseLevel
    self.terms = terms
    self.lr = lr
    self.gradNorm = gradNorm
    self.imagesPerSecond = imagesPerSecond
    self.seconds = seconds
    self.rankSpread = rankSpread
    self.rankStepSeconds = rankStepSeconds
    self.peakRSS = peakRSS
    self.skipped = skipped
  }

  package enum CodingKeys: String, CodingKey {
    case time, images, epoch, loss, terms, lr, seconds, skipped
    case lossByNoiseLevel = "loss_by_noise_level"
    case gradNorm = "grad_norm"
    case imagesPerSecond = "images_per_second"
    case rankSpread = "rank_spread"
    case rankStepSeconds = "rank_step_seconds"
    case peakRSS = "peak_rss"
  }
}

/// Where a tick's time went on this rank, in seconds; `stats.jsonl` has the first rank's.
package struct PhaseSeconds: Codable, Equatable, Sendable {
  /// Waiting for images and making tensors of them.
  package var data: Double
  /// Forward passes.
  package var forward: Double
  /// Backward passes.
  package var backward: Double
  /// Waiting for other ranks while there is nothing else to do.
  package var exposedComm: Double
  /// Adding up gradients over the ranks while backward ran; a part of `backward`.
  package var hiddenComm: Double
  /// Norms of gradients, and updates of the weights.
  package var optimizer: Double

  /// Seconds of each phase.
  package init(
    data: Double = 0, forward: Double = 0, backward: Double = 0, exposedComm: Double = 0,
    hiddenComm: Double = 0, optimizer: Double = 0
  ) {
    self.data = data
    self.forward = forward
    self.backward = backward
    self.exposedComm = exposedComm
    self.hiddenComm = hiddenComm
    self.optimizer = optimizer
  }

  package enum CodingKeys: String, CodingKey {
    case data, forward, backward, optimizer
    case exposedComm = "exposed_comm"
    case hiddenComm = "hidden_comm"
  }
}

/// The ranks' working time per step, without waiting for other ranks, in seconds.
package struct RankStepSeconds: Codable, Equatable, Sendable {
  /// Of the fastest rank.
  package var min: Double
  /// Of the median rank.
  package var median: Double
  /// Of the slowest rank.
  package var max: Double
  /// The rank that takes longest.
  package var slowest: Int
  /// The phase in which it loses most time against the median rank: data, forward, backward or
  /// optimizer.
  package var slowestPhase: String

  /// Working times of these ranks.
  package init(min: Double, median: Double, max: Double, slowest: Int, slowestPhase: String) {
    (self.min, self.median, self.max) = (min, median, max)
    (self.slowest, self.slowestPhase) = (slowest, slowestPhase)
  }

  package enum CodingKeys: String, CodingKey {
    case min, median, max, slowest
    case slowestPhase = "slowest_phase"
  }
}
