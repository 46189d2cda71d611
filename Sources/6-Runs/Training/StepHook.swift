import TensorCore

/// Named points of a training run at which something outside of training may act. A run calls them
/// and expects nothing: no data pass through a hook. Tests use them to cause faults; see
/// `FaultPoint`.
package protocol StepHook: Sendable {
  /// A step begins; this rank has not read its images yet.
  func stepBegins(_ moment: StepMoment)
  /// This rank's images of the step are tensors now, and training has not read them yet.
  func imagesAreReady(_ images: [Tensor], _ moment: StepMoment)
  /// This rank's file of a checkpoint is written, and the checkpoint is not committed yet. Called
  /// on the thread that writes.
  func shardIsWritten(_ moment: StepMoment)
  /// Whether this rank neither sends nor receives heartbeats.
  func mutesHeartbeats(of rank: Int) -> Bool
}

/// When and where a hook is called.
package struct StepMoment: Sendable {
  /// Images of all ranks that were seen before the step, or that the checkpoint has seen.
  package let images: Int
  /// Images of one step over all ranks.
  package let batch: Int
  /// The rank that calls.
  package let rank: Int
}

/// A hook that does nothing where it does not say otherwise.
extension StepHook {
  /// Nothing.
  package func stepBegins(_ moment: StepMoment) {}
  /// Nothing.
  package func imagesAreReady(_ images: [Tensor], _ moment: StepMoment) {}
  /// Nothing.
  package func shardIsWritten(_ moment: StepMoment) {}
  /// False.
  package func mutesHeartbeats(of rank: Int) -> Bool { false }
}
