import Autodiff
import NeuralNetworks
import TensorCore

/// The PatchGAN discriminator: it tells real patches from generated ones, with one logit per patch,
/// by 4x4 convolutions and leaky ReLU.
///
/// Source: Isola et al., arXiv:1611.07004, section 3.2.2, as Esser et al., arXiv:2012.09841, use
/// it: with 3 layers of stride 2, patches are 70 pixels wide. The original has batch norm, which
/// makes a logit depend on the other images of its batch. Here it is group norm, so that the logits
/// of an image do not depend on how a batch is split.
/// Shapes: x [B, H, W, 3] -> [B, h, w, 1], f32; h = H / 8 - 2 with 3 layers.
public struct PatchDiscriminator {
  /// The hyperparameters; the defaults are those of the published code.
  public struct Settings: Sendable, Hashable {
    /// The width of the first layer. Each next layer doubles it, up to eight times this width.
    public var width = 64
    /// The number of layers of stride 2, 1 to 8.
    public var layers = 3
    /// Channels of the images.
    public var imageChannels = 3

    /// The published network.
    public init() {}

    /// The smallest side that an image may have, in pixels.
    public var leastResolution: Int { 3 << max(layers, 0) }

    /// Why no network can have these settings; nil if one can.
    public var problem: String? {
      width > 0 && (1...8).contains(layers) && imageChannels > 0
        ? nil : "width \(width), \(layers) layers, \(imageChannels) image channels"
    }

    /// The width of layer `index`.
    func width(_ index: Int) -> Int { width * min(1 << index, 8) }

    /// Floating-point operations of a forward pass over one image with a side of `resolution`
    /// pixels.
    public func forwardFlops(resolution: Int) -> Int {
      var (side, inputs, flops) = (resolution, imageChannels, 0)
      for index in 0...layers {
        side = index < layers ? side / 2 : side - 1
        flops += 2 * side * side * 16 * inputs * width(index)
        inputs = width(index)
      }
      return flops + 2 * (side - 1) * (side - 1) * 16 * inputs
    }
  }

  /// The hyperparameters.
  public let settings: Settings
  /// All parameters, sealed.
  public let parameters: ParameterSet
  /// The type of the operands of products between the first and the last layer.
  public let precision: DType
  let first: Convolution
  let layers: [(convolution: Convolution, norm: GroupNorm)]
  let last: Convolution

  /// Declares the network; no memory is taken before `parameters.allocate`. Checkpoint keys:
  /// `main.I`, numbered as in the published code.
  public init(_ settings: Settings = Settings(), precision: DType = .float32) {
    invariant(settings.problem == nil, "PatchDiscriminator: \(settings.problem ?? "")")
    (self.settings, self.precision) = (settings, precision)
    parameters = ParameterSet()
    let main = parameters.root("main")
    let start = Initializer.normal(deviation: 0.02)
    first = Convolution(
      main(0), in: settings.imageChannels, out: settings.width, .wideDown, initializer: start)
    layers = (1...settings.layers).map { index in
      let (inputs, outputs) = (settings.width(index - 1), settings.width(index))
      let type = inputs < ImageDiffiT.Settings.leastBF16Width ? .float32 : precision
      let convolution = Convolution(
        main(3 * index - 1), in: inputs, out: outputs,
        index < settings.layers ? .wideDown : .wide, initializer: start, bias: false,
        compute: type)
      return (convolution, GroupNorm(main(3 * index), channels: outputs))
    }
    last = Convolution(
      main(3 * settings.layers + 2), in: settings.width(settings.layers), out: 1, .wide,
      initializer: start)
    parameters.seal()
  }

  /// One logit per patch: above 0 if the patch looks real.
  public func callAsFunction(_ x: Variable) -> Variable {
    invariant(
      x.shape.rank == 4 && x.shape[3] == settings.imageChannels
        && min(x.shape[1], x.shape[2]) >= settings.leastResolution,
      "PatchDiscriminator: x \(x.shape), \(settings.imageChannels) channels, at least"
        + " \(settings.leastResolution) pixels a side")
    var x = leakyReLU(first(x), slope: 0.2)
    for layer in layers { x = leakyReLU(layer.norm(layer.convolution(x)), slope: 0.2) }
    return last(x)
  }
}
