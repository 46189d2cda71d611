import Autodiff
import Evaluation
import TensorCore

/// What a training task may use while it works on a micro-batch: the passes through the networks,
/// each with its place on the clock, and where to note losses.
///
///     let (share, losses) = step.forward { network(images) }   // builds a tape
///     step.backward(tape, from: share, sending: microBatch.isLast)
///     step.note(losses, sigma: sigmas)
package final class StepContext {
  /// Images of all ranks before this step: the run's clock.
  package private(set) var imagesSeen = 0
  /// The canonical shard that is being worked on, among those of this rank.
  private var shard = 0
  /// Losses since the last tick.
  package var losses: LossAccumulator
  private let clock: PhaseClock
  private let model: TrainState

  /// - Parameter model: its gradients are sent to the other ranks while backward runs.
  init(losses: LossAccumulator, clock: PhaseClock, model: TrainState) {
    (self.losses, self.clock, self.model) = (losses, clock, model)
  }

  /// Begins to work on a canonical shard of the step that begins at `imagesSeen` images.
  func begin(shard: Int, at imagesSeen: Int) { (self.shard, self.imagesSeen) = (shard, imagesSeen) }

  /// Runs a forward pass.
  func forward<R>(_ body: () -> R) -> R { clock.measure(.forward, body) }

  /// Runs a backward pass from `share`, a scalar, and adds the gradients to the parameters'.
  ///
  /// - Parameter sending: whether the model's gradients leave for the other ranks as soon as they
  ///   are final. True only for the model's last backward pass of the step on this rank.
  func backward(_ tape: Tape, from share: Variable, sending: Bool) {
    if sending { model.send(from: tape) }
    clock.measure(.backward) { tape.backward(from: share) }
  }

  /// Notes each image's loss at its noise level.
  func note(_ losses: [Double], sigma: [Double]) {
    self.losses.note(losses, sigma: sigma, shard: shard)
  }

  /// Notes each image's loss, and the terms that it consists of.
  ///
  /// - Parameter terms: by name, one value per image.
  func note(_ losses: [Double], terms: [String: [Double]]) {
    self.losses.note(losses, terms: terms, shard: shard)
  }
}
