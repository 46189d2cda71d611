import Collectives
import Configuration
import Datasets
import Evaluation
import FileFormats
import Images
import ModelLoading
import TensorCore

/// What a run trains: its networks, and how a micro-batch becomes gradients of their parameters.
package protocol TrainingTask: AnyObject {
  /// The sets of parameters, the model's first.
  var sets: [DeclaredSet] { get }
  /// Shape of a batch of the images that the task is given, [B, H, W, C].
  func imageShape(batch: Int) -> Shape
  /// Number of classes of labels; 0: labels are not used.
  var classes: Int { get }
  /// Augmentation labels per image; 0: not used.
  var augmentLabels: Int { get }
  /// Ratio of the loss as published to the loss minimised here: EDM sums over an image's elements,
  /// and this program averages.
  var lossScale: Double { get }
  /// How a run's loss is broken down: by noise level, or by loss term.
  var columns: LossBreakdown { get }

  /// Whether set `set` is updated in the step that begins at `imagesSeen` images.
  func trains(_ set: Int, at imagesSeen: Int) -> Bool

  /// Runs the networks on a micro-batch, forward and backward, adds the gradients to the
  /// parameters' and notes the losses.
  func trainingStep(_ microBatch: MicroBatch, in step: StepContext)

  /// Called after the last micro-batch of a step on this rank, whether or not the update is made.
  /// Collective.
  func endStep(over communicator: any Communicator) throws

  /// Whether previews can be made: latents without an autoencoder are no images.
  var hasPreviews: Bool { get }
  /// Side of a preview in pixels.
  var previewSide: Int { get }

  /// Previews `range`: images that show how far the model is, made with its present weights. A
  /// preview always shows the same thing, whichever rank makes it.
  ///
  /// - Parameter dataset: the images that previews start from, where the task needs some.
  func previews(
    _ range: Range<Int>, _ settings: SampleSettings, of dataset: (any ImageDataset)?,
    on context: ComputeContext
  ) throws -> [RGBImage]

  /// What was not finite in the previews and samples on this rank since the last call; nil: nothing.
  func takePreviewFault() -> String?

  /// State of the task that a checkpoint keeps besides weights, by name.
  var state: [String: [Float]] { get set }
}

extension TrainingTask {
  /// Every set takes part in every step.
  package func trains(_ set: Int, at imagesSeen: Int) -> Bool { true }

  func endStep(over communicator: any Communicator) throws {}

  var hasPreviews: Bool { true }

  var state: [String: [Float]] {
    get { [:] }
    set {}
  }
}
