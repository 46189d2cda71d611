import Autodiff
import TensorCore

/// A network that diffusion models are made of: noisy images, their time and their conditions in, as many
/// channels or twice as many out.
public protocol DenoisingNetwork {
  associatedtype Settings: NetworkSettings

  var settings: Settings { get }
  var parameters: ParameterSet { get }

  /// Shapes: x [B, H, W, C] -> [B, H, W, C], or [B, H, W, 2 C] where it learns a variance; f32.
  ///
  /// - Parameters:
  ///   - time: one a image: what the formulation calls time, EDM's c_noise or DDPM's timestep, [B].
  ///   - labels: classes, [B]; an entry nil, or the whole: no label.
  ///   - augment: [B, 9]; nil: images as they are.
  func callAsFunction(
    _ x: Variable, time: [Double], labels: [Int?]?, augment: Tensor?
  ) -> Variable
}

/// What defines a denoising network.
public protocol NetworkSettings: Sendable, Hashable {
  /// Why no network has these settings; nil where one does.
  var problem: NetworkProblem? { get }
  /// Of the images that the network sees, [B, H, W, C].
  func imageShape(batch: Int) -> Shape
  /// 0: unconditional.
  var classes: Int { get }
  /// Augmentation labels an image; 0: none.
  var augmentLabels: Int { get }
  /// Widths of the parts that can compute in bf16.
  var widths: [Int] { get }

  /// What one image costs.
  ///
  /// - Parameters:
  ///   - precision: of the activations inside blocks.
  ///   - recomputes: whether a block keeps its input alone.
  func cost(precision: DType, recomputes: Bool) -> NetworkCost

  /// The network, declared; no memory is taken before `parameters.allocate`.
  func network(precision: DType, recomputes: Bool) -> any DenoisingNetwork
}

extension NetworkSettings {
  /// Narrower parts are f32 in bf16 too: one step of a tile reduces 32 channels, so that bf16 gains
  /// nothing there, and few channels average little of its rounding.
  public static var leastBF16Width: Int { 32 }

  /// The precision of a part of this width where `asked` is the network's.
  func precision(_ asked: DType, width: Int) -> DType {
    width < Self.leastBF16Width ? .float32 : asked
  }
}
