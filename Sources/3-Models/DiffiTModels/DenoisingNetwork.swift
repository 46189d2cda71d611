import Autodiff
import TensorCore

/// A network for diffusion models. It takes noisy images, their times and their conditions, and
/// returns as many channels, or twice as many if it learns a variance.
public protocol DenoisingNetwork {
  /// The hyperparameters of this kind of network.
  associatedtype Settings: NetworkSettings

  /// The hyperparameters of this network.
  var settings: Settings { get }
  /// All parameters of this network.
  var parameters: ParameterSet { get }
  /// The weights between hidden layers.
  var hiddenMatrices: [HiddenMatrix] { get }

  /// The network's raw output. Shapes: x [B, H, W, C] -> [B, H, W, C], or [B, H, W, 2 C] if it
  /// learns a variance; f32.
  ///
  /// - Parameters:
  ///   - x: noisy images, scaled as the formulation says.
  ///   - time: what the formulation calls time, one number per image, [B]: c_noise for EDM, the
  ///     timestep for DDPM.
  ///   - labels: classes, [B]. Nil for an image, or for all of them, means no label.
  ///   - augment: EDM's augmentation labels, [B, 9]; nil for images without augmentation.
  func callAsFunction(
    _ x: Variable, time: [Double], labels: [Int?]?, augment: Tensor?
  ) -> Variable
}

/// The hyperparameters that define a denoising network.
public protocol NetworkSettings: Sendable, Hashable {
  /// Why no network has these settings; nil where one does.
  var problem: NetworkProblem? { get }
  /// The shape of a batch of the network's inputs, [B, H, W, C].
  func imageShape(batch: Int) -> Shape
  /// The number of classes; 0 for an unconditional network.
  var classes: Int { get }
  /// Augmentation labels per image; 0 for none.
  var augmentLabels: Int { get }
  /// The widths of the parts that can compute in bf16.
  var widths: [Int] { get }

  /// What one image costs: arithmetic and memory.
  ///
  /// - Parameters:
  ///   - precision: the type of the activations inside blocks.
  ///   - recomputes: whether a block saves only its input (activation checkpointing).
  func cost(precision: DType, recomputes: Bool) -> NetworkCost

  /// Creates the network and declares its parameters; no memory is taken before
  /// `parameters.allocate`.
  func network(precision: DType, recomputes: Bool) -> any DenoisingNetwork
}

extension NetworkSettings {
  /// Parts narrower than this compute in f32 even if bf16 is asked for. One step of a tile reduces
  /// 32 channels, so bf16 gains nothing there, and few channels average little of its rounding.
  public static var leastBF16Width: Int { 32 }

  /// The precision of a part of this width in a network of precision `asked`.
  func precision(_ asked: DType, width: Int) -> DType {
    width < Self.leastBF16Width ? .float32 : asked
  }
}
