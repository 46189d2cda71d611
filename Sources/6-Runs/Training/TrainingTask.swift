import Autodiff
import Collectives
import Configuration
import Datasets
import Evaluation
import FileFormats
import ModelLoading
import TensorCore

/// What a run minimises: the networks it trains, and how a micro-batch becomes gradients of their
/// parameters.
package protocol TrainingTask: AnyObject {
  /// The sets of parameters, the model's first.
  var sets: [DeclaredSet] { get }
  /// Of the images it is given, [B, H, W, C].
  func imageShape(batch: Int) -> Shape
  /// 0: labels are not used.
  var classes: Int { get }
  /// Augmentation labels an image; 0: not used.
  var augmentLabels: Int { get }
  /// What the published loss is, a multiple of ours.
  var lossScale: Double { get }
  /// What losses are told apart by.
  var columns: LossBreakdown { get }

  /// Whether set `set` takes part in the step that begins at `imagesSeen` images.
  func trains(_ set: Int, at imagesSeen: Int) -> Bool

  /// Runs the networks on a micro-batch, forward and backward, and adds the gradients to the parameters.
  func trainingStep(_ part: MicroBatch, of shard: Int, for trainer: Trainer)

  /// After the last micro-batch of a step on this rank, whether or not the update is made. Collective.
  func endStep(over communicator: any Communicator) throws

  /// Whether there is something to show: latents without an autoencoder are no pictures.
  var showsPictures: Bool { get }
  /// Side of the pictures that show how far the model is.
  var pictureSide: Int { get }

  /// Pictures `range` of those that show how far the model is, with its present weights: always the same
  /// ones, whichever rank makes them.
  ///
  /// - Parameter dataset: images, where pictures are made of some.
  func pictures(
    _ range: Range<Int>, _ settings: SampleSettings, of dataset: (any ImageDataset)?,
    on context: ComputeContext
  ) throws -> [RGBImage]

  /// What goes on with the run beside weights, by name.
  var state: [String: [Float]] { get set }
}

extension TrainingTask {
  package func trains(_ set: Int, at imagesSeen: Int) -> Bool { true }

  func endStep(over communicator: any Communicator) throws {}

  var showsPictures: Bool { true }

  var state: [String: [Float]] {
    get { [:] }
    set {}
  }
}
