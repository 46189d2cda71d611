/// One row of `stats.jsonl`: a tick, the time since the row before. Keys are in snake case; a figure
/// that is not finite is written as `null`.
public struct TickStatistics: Codable, Equatable, Sendable {
  /// Images seen since the run began.
  public var images: Int
  /// Passes over the data set: images seen over its size.
  public var epoch: Double
  /// Mean loss over the tick's images.
  @FiniteOrNull public var loss: Double
  /// Empty where the loss is no denoising loss.
  public var lossByNoiseLevel: [NoiseLevelLoss]
  /// What the loss is made of, by name; nil for a denoising loss.
  public var terms: [String: Double]?
  /// At the tick's last step.
  public var lr: Double
  /// Of the averaged gradient, before clipping, at the tick's last step.
  @FiniteOrNull public var gradNorm: Double
  /// Over all ranks.
  public var imagesPerSecond: Double
  public var seconds: PhaseSeconds
  /// The slowest rank's time over the fastest's, less 1: 0 where all are alike.
  public var rankSpread: Double
  public var rankStepSeconds: RankStepSeconds
  /// Bytes, of the rank that holds most.
  public var peakRSS: Int
  /// Updates left out since the run began, because something was not finite.
  public var skipped: Int

  public init(
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

  enum CodingKeys: String, CodingKey {
    case images, epoch, loss, terms, lr, seconds, skipped
    case lossByNoiseLevel = "loss_by_noise_level"
    case gradNorm = "grad_norm"
    case imagesPerSecond = "images_per_second"
    case rankSpread = "rank_spread"
    case rankStepSeconds = "rank_step_seconds"
    case peakRSS = "peak_rss"
  }
}

/// Mean loss of the images whose sigma lies in [`sigmaMin`, `sigmaMax`), in units of pixels in [-1, 1].
/// The last level has no end: `null`.
public struct NoiseLevelLoss: Codable, Equatable, Sendable {
  public var sigmaMin: Double
  @FiniteOrNull public var sigmaMax: Double
  public var images: Int
  /// `null` where no image of the tick fell here.
  @FiniteOrNull public var loss: Double

  public init(sigmaMin: Double, sigmaMax: Double, images: Int, loss: Double) {
    self.sigmaMin = sigmaMin
    self.sigmaMax = sigmaMax
    self.images = images
    self.loss = loss
  }

  enum CodingKeys: String, CodingKey {
    case images, loss
    case sigmaMin = "sigma_min"
    case sigmaMax = "sigma_max"
  }
}

/// Where a tick's time went, in seconds of the first rank.
public struct PhaseSeconds: Codable, Equatable, Sendable {
  /// Waiting for images.
  public var data: Double
  public var forward: Double
  public var backward: Double
  /// Waiting for other ranks, with nothing else to do.
  public var exposedComm: Double
  /// Gradients under way while backward ran; part of `backward`.
  public var hiddenComm: Double
  public var optimizer: Double

  public init(
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

  enum CodingKeys: String, CodingKey {
    case data, forward, backward, optimizer
    case exposedComm = "exposed_comm"
    case hiddenComm = "hidden_comm"
  }
}

/// How long the ranks work on a step, waiting for others left out; in seconds.
public struct RankStepSeconds: Codable, Equatable, Sendable {
  public var min: Double
  public var median: Double
  public var max: Double
  /// The rank that takes longest.
  public var slowest: Int
  /// The phase in which it loses most against the median rank.
  public var slowestPhase: String

  public init(min: Double, median: Double, max: Double, slowest: Int, slowestPhase: String) {
    (self.min, self.median, self.max) = (min, median, max)
    (self.slowest, self.slowestPhase) = (slowest, slowestPhase)
  }

  enum CodingKeys: String, CodingKey {
    case min, median, max, slowest
    case slowestPhase = "slowest_phase"
  }
}

/// A number for JSON, which has no infinity and no NaN: both are written as `null` and read as NaN.
@propertyWrapper
public struct FiniteOrNull: Codable, Equatable, Sendable {
  public var wrappedValue: Double

  public init(wrappedValue: Double) { self.wrappedValue = wrappedValue }

  public init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    wrappedValue = container.decodeNil() ? .nan : try container.decode(Double.self)
  }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    if wrappedValue.isFinite {
      try container.encode(wrappedValue)
    } else {
      try container.encodeNil()
    }
  }
}
