import Autodiff
import NeuralNetworks
import TensorCore

/// Tells real patches from generated ones: one logit a patch, with 4x4 convolutions and leaky ReLU.
///
/// Source: Isola et al., arXiv:1611.07004, section 3.2.2, as Esser et al., arXiv:2012.09841, use it: 3 layers of
/// stride 2 are patches of 70 pixels. Theirs has batch norm, which makes a logit depend on the other images of
/// its batch; here it is group norm, so that an image's logits are its own, however a batch is split.
/// Shapes: x [B, H, W, 3] -> [B, h, w, 1], f32; h = H / 8 - 2 with 3 layers.
public struct PatchDiscriminator {
  public struct Settings: Sendable, Hashable {
    /// Width of the first layer; each next one doubles it, up to eight times this.
    public var width = 64
    /// Layers of stride 2.
    public var layers = 3
    public var imageChannels = 3

    public init() {}

    /// Pixels a side that the smallest picture has.
    public var leastResolution: Int { 3 << max(layers, 0) }

    /// Why no network has these settings; nil where one does.
    public var problem: String? {
      width > 0 && (1...8).contains(layers) && imageChannels > 0
        ? nil : "width \(width), \(layers) layers, \(imageChannels) image channels"
    }

    /// Width of layer `index`.
    func width(_ index: Int) -> Int { width * min(1 << index, 8) }

    /// Floating-point operations of a forward pass over one image of `resolution` pixels a side.
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

  public let settings: Settings
  public let parameters: ParameterSet
  /// Of what products multiply between the first and the last layer.
  public let precision: DType
  let first: Convolution
  let layers: [(convolution: Convolution, norm: GroupNorm)]
  let last: Convolution

  /// Declares the network; no memory is taken before `parameters.allocate`. Checkpoint keys: `main.I`, counted
  /// as in the published code.
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

  /// Logits: above 0 where a patch looks real.
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
