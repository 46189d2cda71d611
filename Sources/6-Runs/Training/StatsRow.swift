import CommandSupport
import Evaluation

/// One row of `stats.jsonl`: a tick, the time since the row before. Keys are in snake case; a figure
/// that is not finite is written as `null`.
package struct StatsRow: Codable, Equatable, Sendable {
  /// Images seen since the run began.
  package var images: Int
  /// Passes over the data set: images seen over its size.
  package var epoch: Double
  /// Mean loss over the tick's images.
  @FiniteOrNull package var loss: Double
  /// Empty where the loss is no denoising loss.
  package var lossByNoiseLevel: [NoiseLevelLoss]
  /// What the loss is made of, by name; nil for a denoising loss.
  package var terms: [String: Double]?
  /// At the tick's last step.
  package var lr: Double
  /// Of the averaged gradient, before clipping, at the tick's last step.
  @FiniteOrNull package var gradNorm: Double
  /// Over all ranks.
  package var imagesPerSecond: Double
  package var seconds: PhaseSeconds
  /// The slowest rank's time over the fastest's, less 1: 0 where all are alike.
  package var rankSpread: Double
  package var rankStepSeconds: RankStepSeconds
  /// Bytes, of the rank that holds most.
  package var peakRSS: Int
  /// Updates left out since the run began, because something was not finite.
  package var skipped: Int

  package init(
    images: Int, epoch: Double, loss: Double, lossByNoiseLevel: [NoiseLevelLoss],
    terms: [String: Double]? = nil, lr: Double, gradNorm: Double, imagesPerSecond: Double,
    seconds: PhaseSeconds, rankSpread: Double,
    rankStepSeconds: RankStepSeconds, peakRSS: Int, skipped: Int
  ) {
    self.images = images
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
    case images, epoch, loss, terms, lr, seconds, skipped
    case lossByNoiseLevel = "loss_by_noise_level"
    case gradNorm = "grad_norm"
    case imagesPerSecond = "images_per_second"
    case rankSpread = "rank_spread"
    case rankStepSeconds = "rank_step_seconds"
    case peakRSS = "peak_rss"
  }
}

/// Where a tick's time went, in seconds of the first rank.
package struct PhaseSeconds: Codable, Equatable, Sendable {
  /// Waiting for images.
  package var data: Double
  package var forward: Double
  package var backward: Double
  /// Waiting for other ranks, with nothing else to do.
  package var exposedComm: Double
  /// Gradients under way while backward ran; part of `backward`.
  package var hiddenComm: Double
  package var optimizer: Double

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

/// How long the ranks work on a step, waiting for others left out; in seconds.
package struct RankStepSeconds: Codable, Equatable, Sendable {
  package var min: Double
  package var median: Double
  package var max: Double
  /// The rank that takes longest.
  package var slowest: Int
  /// The phase in which it loses most against the median rank.
  package var slowestPhase: String

  package init(min: Double, median: Double, max: Double, slowest: Int, slowestPhase: String) {
    (self.min, self.median, self.max) = (min, median, max)
    (self.slowest, self.slowestPhase) = (slowest, slowestPhase)
  }

  package enum CodingKeys: String, CodingKey {
    case min, median, max, slowest
    case slowestPhase = "slowest_phase"
  }
}
