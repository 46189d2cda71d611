import Autodiff
import Checkpoints
import Collectives
import DiffiTModels
import Foundation
import TensorCore

/// What a configuration will take, counted before anything is allocated.
struct Plan {
  let parameterCount: Int
  /// Elements of a flat range, alignment gaps included.
  let flatCount: Int
  /// Of a training step: forward and backward.
  let flopsPerImage: Int
  let activationBytesPerImage: Int
  let averages: Int
  let precision: DType
  let ranks: Int
  let method: ReductionMethod
  let savesMeanwhile: Bool

  init(_ configuration: Configuration, ranks: Int) {
    let sets = configuration.objective().sets.map(\.parameters)
    parameterCount = sets.reduce(0) { $0 + $1.parameterCount }
    flatCount = sets.reduce(0) { $0 + $1.flatCount }
    let train = configuration.train
    let cost = configuration.networkCost
    flopsPerImage = 3 * cost.forwardFlops + (train.recompute ? cost.blockFlops : 0)
    // What backward holds beside what forward saved: the gradients of about one ResBlock, and its
    // activations where they are computed again.
    activationBytesPerImage =
      cost.savedBytes + (train.recompute ? 2 : 1) * cost.largestBlockBytes
    averages = configuration.ema.count
    precision = train.precision.dtype
    self.ranks = ranks
    method = configuration.reductionMethod(ranks: ranks)
    savesMeanwhile = configuration.checkpoint.async && configuration.checkpoint.every > 0
  }

  /// The parameters of a configuration's network as files know them.
  static func table(_ configuration: Configuration) -> ParameterTable {
    configuration.objective().sets.table
  }

  /// Weights and gradients, f32, the two moments and the averages that this rank keeps, and the weights
  /// as products read them, twice.
  var stateBytes: Int {
    4 * flatCount * 2 + 4 * flatCount * (2 + averages) / (method.keepsPieces ? ranks : 1)
      + 2 * flatCount * precision.size
  }

  /// What summing holds at most: bf16 for the wire, the levels of the tree, and room for other ranks'
  /// parts.
  var reductionBytes: Int {
    let isOurs =
      method.order == .tree || method.wire == .bfloat16 && ranks > 1 || method.keepsPieces
    let copies =
      (method.wire == .bfloat16 ? 1 : 0) + method.localShards.trailingZeroBitCount
      + (ranks > 1 ? 1 : 0)
    return isOurs ? copies * flatCount * method.wire.size : 0
  }

  /// The copy of this rank's part of the state that is saved while training goes on.
  var snapshotBytes: Int { savesMeanwhile ? 4 * flatCount * (3 + averages) / ranks : 0 }

  /// Bytes that each rank sends (and receives) a step: gradients to whoever adds them up and sums back
  /// to all, or, where the optimiser is sharded, weights.
  var communicationBytes: Int {
    let back = method.keepsPieces ? 4 : method.wire.size
    return ranks > 1 ? (method.wire.size + back) * flatCount * (ranks - 1) / ranks : 0
  }

  func memory(microBatch: Int) -> Int {
    stateBytes + reductionBytes + snapshotBytes + microBatch * activationBytesPerImage
  }

  /// The micro-batch for `train.micro_batch: 0`: as many images as fit into half of this rank's part
  /// of the memory, at most 32, at least one a thread where the share allows.
  func microBatch(share: Int, threads: Int, memory: Int) -> Int {
    let room = max(memory / 2 - self.memory(microBatch: 0), 0) / max(activationBytesPerImage, 1)
    return max(1, min(share, max(min(room, 32), threads)))
  }

  /// The micro-batch of a reproducible reduction: the largest divisor of a canonical shard up to 32 images.
  static func microBatch(ofShard images: Int) -> Int {
    (1...min(images, 32)).last { images % $0 == 0 } ?? 1
  }

  func lines(_ configuration: Configuration) -> [String] {
    let micro = configuration.train.microBatch
    let images = micro > 0 ? micro : min(32, (configuration.train.batch + ranks - 1) / ranks)
    let giga = String(format: "%.1f", Double(flopsPerImage) / 1e9)
    return [
      "parameters           \(parameterCount)",
      "training FLOPs       \(giga) G an image (forward and backward)",
      "memory a rank        about \(Display.bytes(memory(microBatch: images))):"
        + " \(Display.bytes(stateBytes)) weights, gradients, moments, averages,"
        + " \(Display.bytes(images * activationBytesPerImage)) activations of \(images) images,"
        + " \(Display.bytes(reductionBytes)) for sums over ranks,"
        + " \(Display.bytes(snapshotBytes)) for saving",
      "communication a step \(Display.bytes(communicationBytes)) sent by each of \(ranks)"
        + " rank\(ranks == 1 ? "" : "s")",
    ]
  }
}

/// Memory that this process may use: what is available (`/proc/meminfo`), or less where a control group
/// limits it; in bytes.
func availableMemory() -> Int {
  let available = Doctor.bytes("MemAvailable", in: Doctor.text("/proc/meminfo"))
  return min(available ?? 4_096_000_000, ControlGroup().memoryLimit ?? .max)
}
