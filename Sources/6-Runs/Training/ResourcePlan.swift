import Autodiff
import Collectives
import CommandSupport
import Configuration
import DiffiTModels
import Foundation
import ModelLoading
import SystemSupport
import TensorCore

/// The memory, FLOPs and communication that a configuration takes, counted before anything is
/// allocated.
package struct ResourcePlan {
  /// Trained parameters.
  package let parameterCount: Int
  /// Elements of a flat vector of all parameters, alignment gaps included.
  package let flatCount: Int
  /// FLOPs of a training step per image: forward and backward.
  package let flopsPerImage: Int
  let averages: Int
  /// Number of ranks.
  package let ranks: Int
  /// How gradients are added up over them.
  package let method: ReductionMethod
  let savesMeanwhile: Bool
  private let configuration: Configuration

  /// Counts for a number of ranks.
  package init(_ configuration: Configuration, ranks: Int) {
    let sets = configuration.task().sets.map(\.parameters)
    parameterCount = sets.reduce(0) { $0 + $1.parameterCount }
    flatCount = sets.reduce(0) { $0 + $1.flatCount }
    let train = configuration.train
    let cost = configuration.networkCost
    flopsPerImage = 3 * cost.forwardFlops + (train.recompute ? cost.blockFlops : 0)
    averages = configuration.ema.count
    self.ranks = ranks
    self.configuration = configuration
    method = configuration.reductionMethod(ranks: ranks)
    savesMeanwhile = configuration.checkpoint.async && configuration.checkpoint.every > 0
  }

  /// The most memory, in bytes, that adding up gradients takes: a copy in bf16 for messages, the
  /// levels of the tree, and a buffer for each bucket that is being summed, in this program or in
  /// the MPI library.
  var reductionBytes: Int {
    let travels = ranks > 1
    let wire = method.order == .tree || travels ? method.wire.size : 4
    let copies = (wire == 2 ? 1 : 0) + method.localShards.trailingZeroBitCount
    let buckets = GradientBuckets(
      count: flatCount, bucketMB: configuration.parallel.bucketMB
    ).ranges.prefix(GradientReducer.bucketsInFlight)
    return copies * flatCount * wire + (travels ? buckets.reduce(0) { $0 + $1.count } * wire : 0)
  }

  /// Bytes of the copy of this rank's part of the state that is saved while training goes on.
  var snapshotBytes: Int { savesMeanwhile ? 4 * flatCount * (3 + averages) / ranks : 0 }

  /// Bytes that each rank sends, and receives, per step: gradients to the rank that adds them up,
  /// and sums back to all ranks; or weights instead of sums, where the optimiser is sharded.
  var communicationBytes: Int {
    let back = method.reduceScatters ? 4 : method.wire.size
    // Momenta of matrices to their owners, and what becomes of them to all ranks.
    let matrices = method.reduceScatters && configuration.optimizer.kind == .muon ? 8 : 0
    return ranks > 1 ? (method.wire.size + back + matrices) * flatCount * (ranks - 1) / ranks : 0
  }

  /// Memory per rank.
  ///
  /// - Parameters:
  ///   - microBatch: images per micro-batch.
  ///   - share: images of the rank per step; nil: those of the rank that has most.
  ///   - threads: nil: as configured, else all cores of this machine divided by the ranks.
  ///   - samples: whether samples are drawn between steps; nil: as configured.
  ///   - recomputes: whether activations are recomputed; nil: as configured.
  func memory(
    microBatch: Int, share: Int? = nil, threads: Int? = nil, samples: Bool? = nil,
    recomputes: Bool? = nil
  ) throws -> MemoryEstimate {
    var configuration = configuration
    if let recomputes { configuration.train.recompute = recomputes }
    let asked = configuration.train.threads
    return try MemoryEstimate(
      self, configuration, share: share ?? largestShare, microBatch: microBatch,
      threads: threads ?? (asked > 0 ? asked : max(ThreadPool.availableCores / ranks, 1)),
      isSampling: samples ?? (configuration.sample.every > 0))
  }

  private var largestShare: Int { (configuration.train.batch + ranks - 1) / ranks }

  /// The micro-batch for `train.micro_batch: 0`: as many images as fit into half of this rank's
  /// part of the memory, at most 32, and at least one image per thread. If even that does not fit,
  /// uses the smaller of that and the whole local batch, which needs no packed weights.
  ///
  /// - Parameters:
  ///   - share: images of this rank per step.
  ///   - memory: this rank's part of the memory, in bytes.
  package func microBatch(share: Int, threads: Int, memory: Int) throws -> Int {
    func bytes(_ images: Int) throws -> Int {
      try self.memory(
        microBatch: images, share: min(share, 2 * images), threads: threads, samples: false
      ).total
    }
    let (most, least) = (max(min(share, 32), 1), max(1, min(share, threads)))
    if try bytes(most) <= memory / 2 { return most }
    // Bisection between a number of images that fits and one that does not.
    var (fits, tooMany) = (0, most)
    while tooMany - fits > 1 {
      let tried = (fits + tooMany) / 2
      if try bytes(tried) <= memory / 2 { fits = tried } else { tooMany = tried }
    }
    if fits > 0 { return max(fits, least) }
    return try most == share && bytes(most) < bytes(least) ? most : least
  }

  /// The micro-batch of a reproducible reduction: the largest divisor of a canonical shard up to 32
  /// images.
  package static func microBatch(ofShard images: Int) -> Int {
    (1...min(images, 32)).last { images % $0 == 0 } ?? 1
  }

  /// The lines that `--dry-run` prints.
  ///
  /// - Parameter run: the run's directory, which need not be there.
  package func lines(of run: RunDirectory) throws -> [String] {
    let micro = try plannedMicroBatch()
    let memory = try memory(microBatch: micro)
    let recomputes = configuration.train.recompute
    let other = try self.memory(microBatch: micro, recomputes: !recomputes).activations
    let time = try RunDuration(configuration, in: run, ranks: ranks, flopsPerImage: flopsPerImage)
    let giga = String(format: "%.1f", Double(flopsPerImage) / 1e9)
    return [
      "parameters           \(parameterCount)",
      "training FLOPs       \(giga) G per image (forward and backward)",
      "memory per rank      \(Format.bytes(memory.total)) at most, with"
        + " \(Format.quantity(largestShare, "image")) per step in micro-batches of \(micro):",
    ] + memory.lines(recomputes: recomputes, other: other) + [
      "communication        \(Format.bytes(communicationBytes)) per step, sent by each of"
        + " \(Format.quantity(ranks, "rank"))",
      "time                 \(time.summary)",
      "disk                 \(RunDisk(configuration, elements: flatCount).summary)",
    ] + configuration.warnings.map { "warning: \($0)" }
  }

  /// The configured micro-batch, else the one that a run on this machine would choose.
  private func plannedMicroBatch() throws -> Int {
    let train = configuration.train
    if train.microBatch > 0 { return train.microBatch }
    if configuration.parallel.reduction == .reproducible {
      return ResourcePlan.microBatch(ofShard: max(train.batch / configuration.parallel.shards, 1))
    }
    let cores = max(ThreadPool.availableCores / ranks, 1)
    return try microBatch(
      share: largestShare, threads: train.threads > 0 ? train.threads : cores,
      memory: availableMemory() / ranks)
  }
}
