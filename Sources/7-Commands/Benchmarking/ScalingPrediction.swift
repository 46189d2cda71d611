import Collectives

/// A rank's time for a step of any batch, and how its messages lie in it.
package struct ScalingModel: Equatable, Sendable {
  /// Seconds per image for forward and backward.
  package var secondsPerImage: Double
  /// Seconds per step for the optimiser and the weight averages, which do not depend on the batch.
  package var secondsPerStep: Double
  /// Backward's share of `secondsPerImage`.
  package var backwardShare: Double
  /// Images that a rank computes at once. Gradients become final in the last micro-batch of a step.
  package var microBatch: Int
  /// Size of each message of a step in bytes, in their order.
  package var bucketBytes: [Int]
  /// Share of the last micro-batch's backward in which messages may travel.
  package var hiddenShare: Double
  /// The time of messages.
  package var ring: RingModel

  /// A model with known constants.
  package init(
    secondsPerImage: Double, secondsPerStep: Double, backwardShare: Double, microBatch: Int,
    bucketBytes: [Int], hiddenShare: Double = 1, ring: RingModel
  ) {
    (self.secondsPerImage, self.secondsPerStep) = (secondsPerImage, secondsPerStep)
    (self.backwardShare, self.microBatch) = (backwardShare, microBatch)
    (self.bucketBytes, self.hiddenShare, self.ring) = (bucketBytes, hiddenShare, ring)
  }

  /// The model of a measured machine.
  ///
  /// - Parameters:
  ///   - network: another network than the measured one, at the same rate of arithmetic; its
  ///     optimiser takes time in proportion to its parameters. Nil: the measured one.
  package init(
    _ measured: ScalingMeasurement, network: ScalingMeasurement.Network? = nil,
    bucketMB: Double? = nil, hiddenShare: Double = 1, ring: RingModel
  ) {
    let network = network ?? measured.network
    let work = measured.alone.seconds - measured.alone.optimizer
    let flops = Double(network.flopsPerImage) / Double(measured.network.flopsPerImage)
    let size = Double(network.gradientElements) / Double(measured.network.gradientElements)
    let buckets = GradientBuckets(
      count: network.gradientElements, bucketMB: bucketMB ?? measured.bucketMB)
    self.init(
      secondsPerImage: work / Double(measured.batch) * flops,
      secondsPerStep: measured.alone.optimizer * size,
      backwardShare: measured.alone.backward / work, microBatch: measured.microBatch,
      bucketBytes: buckets.ranges.map { 4 * $0.count }, hiddenShare: hiddenShare, ring: ring)
  }

  /// Seconds of a step without messages.
  package func work(batch: Int) -> Double { secondsPerStep + secondsPerImage * Double(batch) }

  /// All messages of a step, one after the other.
  package func communication(ranks: Int) -> Double {
    bucketBytes.reduce(0) { $0 + ring.seconds(ranks: ranks, bytes: $1) }
  }

  /// Seconds that messages add to a step where they travel during backward: the last bucket, which
  /// is final only when backward ends, and the part of the others for which backward is too short.
  package func exposed(ranks: Int, batch: Int) -> Double {
    guard let last = bucketBytes.last else { return 0 }
    let tail = ring.seconds(ranks: ranks, bytes: last)
    let images = batch - (batch - 1) / microBatch * microBatch
    let room = hiddenShare * backwardShare * secondsPerImage * Double(images)
    return tail + max(0, communication(ranks: ranks) - tail - room)
  }
}

/// What to expect of a number of ranks.
package struct ScalingRow: Codable, Equatable, Sendable {
  /// A training step.
  package struct Step: Codable, Equatable, Sendable {
    /// Seconds of the step.
    package let seconds: Double
    /// Images per second over all ranks.
    package let imagesPerSecond: Double
    /// Images per second of each rank, over those of one rank without others.
    package let efficiency: Double
    /// Of the step: what its messages add to it.
    package let communicationShare: Double

    enum CodingKeys: String, CodingKey {
      case efficiency
      case seconds = "step_seconds"
      case imagesPerSecond = "images_per_second"
      case communicationShare = "communication_share"
    }
  }

  /// Number of ranks.
  package let ranks: Int
  /// Images per step over all ranks.
  package let batch: Int
  /// Of the rank that has most.
  package let batchPerRank: Int
  /// Seconds of all messages of a step, one after the other.
  package let communicationSeconds: Double
  /// Messages after backward.
  package let plain: Step
  /// Messages during backward.
  package let overlapped: Step

  enum CodingKeys: String, CodingKey {
    case ranks, batch, plain, overlapped
    case batchPerRank = "batch_per_rank"
    case communicationSeconds = "communication_seconds"
  }

  /// - Parameters:
  ///   - batch: over all ranks, at least one image each.
  ///   - reference: images per second of one rank without others.
  package init(_ model: ScalingModel, ranks: Int, batch: Int, reference: Double) {
    (self.ranks, self.batch) = (ranks, batch)
    let own = (batch + ranks - 1) / ranks
    let work = model.work(batch: own)
    func step(_ messages: Double) -> Step {
      let rate = Double(batch) / (work + messages)
      return Step(
        seconds: work + messages, imagesPerSecond: rate,
        efficiency: rate / Double(ranks) / reference,
        communicationShare: messages / (work + messages))
    }
    batchPerRank = own
    communicationSeconds = model.communication(ranks: ranks)
    plain = step(communicationSeconds)
    overlapped = step(model.exposed(ranks: ranks, batch: own))
  }
}

extension ScalingModel {
  /// Each rank has `batch` images, however many there are.
  package func weak(batch: Int, ranks: [Int]) -> [ScalingRow] {
    let reference = Double(batch) / work(batch: batch)
    return ranks.map { ScalingRow(self, ranks: $0, batch: batch * $0, reference: reference) }
  }

  /// All ranks together have `batch` images; more ranks than images are left out.
  package func strong(batch: Int, ranks: [Int]) -> [ScalingRow] {
    let reference = Double(batch) / work(batch: batch)
    return ranks.filter { $0 <= batch }.map {
      ScalingRow(self, ranks: $0, batch: batch, reference: reference)
    }
  }
}
