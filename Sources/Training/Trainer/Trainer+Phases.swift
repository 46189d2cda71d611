import Autodiff
import Collectives
import Datasets
import Optimization
import TensorCore

/// A micro-batch as tensors.
struct BatchPart {
  /// Each image's place in the run's image sequence, [B].
  let positions: [UInt64]
  /// [B, H, W, 3] in [-1, 1].
  let images: Tensor
  /// Nil: an unconditional network; an entry nil: no label, for guidance.
  let labels: [Int?]?
  /// [B, 9], or nil without augmentation.
  let augment: Tensor?
}

/// The phases of a step, each with its place on the clock.
extension Trainer {
  func forward<R>(_ body: () -> R) -> R { clock.measure(.forward, body) }
  func backward(_ body: () -> Void) { clock.measure(.backward, body) }
  func update(_ body: () -> Void) { clock.measure(.optimizer, body) }
  func sumOverRanks() throws { try clock.measure(.exposedComm) { try reducer.finish() } }

  /// This rank's images of the next step, in micro-batches. A rank that cannot read its images would
  /// leave the others waiting for its gradients: so they agree first.
  func nextParts() throws -> [BatchPart] {
    let read = clock.measure(.data) { Result { try source() } }
    let batch = try clock.measure(.exposedComm) { try communicator.agree(on: read) }
    return clock.measure(.data) {
      stride(from: 0, to: batch.positions.count, by: configuration.train.microBatch).map {
        part(
          of: batch, $0..<min($0 + configuration.train.microBatch, batch.positions.count))
      }
    }
  }

  private func part(of batch: Batch, _ range: Range<Int>) -> BatchPart {
    let positions = Array(batch.positions[range])
    let shape = model.settings.imageShape(batch: range.count)
    let pixels = shape.count / range.count
    let augment = model.settings.augmentLabels
    return BatchPart(
      positions: positions,
      images: Tensor(
        Array(batch.images[range.lowerBound * pixels..<range.upperBound * pixels]), shape,
        on: engine),
      labels: model.settings.classes > 0
        ? zip(batch.labels[range], positions).map { dropsLabel(at: $1) ? nil : $0 } : nil,
      augment: augment > 0
        ? Tensor(
          Array(batch.augmentLabels[range.lowerBound * augment..<range.upperBound * augment]),
          [range.count, augment], on: engine) : nil)
  }

  /// Whether the image at this position trains the unconditional network.
  private func dropsLabel(at position: UInt64) -> Bool {
    RandomStream(seed: seed, .labelDropout, position: position).uniform(0)
      < configuration.diffusion.labelDropout
  }

  /// Norm of the summed gradient.
  func gradientNorm() -> Double {
    clock.measure(.optimizer) { sumOfSquares(parameters.gradients).squareRoot() }
  }

  /// Whether every rank finds its loss and the summed gradient finite.
  func isFinite(_ norm: Double) throws -> Bool {
    try clock.measure(.exposedComm) {
      try communicator.allRanks(norm.isFinite && statistics.lastStepIsFinite)
    }
  }

  /// Leaves an update out, or ends the run, as `optimizer.on_nonfinite` says.
  func skipUpdate(norm: Double) throws {
    skippedUpdates += 1
    statistics.noteUpdate(
      learningRate: learningRate(imagesSeen: imagesSeen - configuration.train.batch),
      gradientNorm: norm)
    guard configuration.optimizer.onNonFinite == .stop else { return }
    try communicator.agree { throw TrainingError.nonFinite(images: imagesSeen) }
  }
}
