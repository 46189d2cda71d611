import Autodiff
import Operators
import TensorCore

/// LPIPS: how different two images look, measured as the distance between their VGG16 features.
///
/// Source: Zhang et al., arXiv:1801.03924, version 0.1 with VGG16 (Simonyan and Zisserman,
/// arXiv:1409.1556). Features are taken after the last ReLU of each of five stages, and each
/// pixel's features are scaled to length 1. The squares of their differences are weighted per
/// channel, averaged over pixels and added up.
/// Shapes: x, target [B, H, W, 3] in [-1, 1], with a side of 16 pixels or more. The weights never
/// change.
public struct PerceptualDistance {
  /// The shape of the feature network; the default is VGG16's.
  public struct Settings: Sendable, Hashable {
    /// The width of each stage.
    public var channels = [64, 128, 256, 512, 512]
    /// The number of 3x3 convolutions in each stage.
    public var convolutions = [2, 2, 3, 3, 3]

    /// VGG16.
    public init() {}

    /// The smallest side that an image may have, in pixels: one pixel in the last stage.
    public var leastResolution: Int { 1 << (channels.count - 1) }

    /// Floating-point operations of the features of one image with a side of `resolution` pixels.
    public func forwardFlops(resolution: Int) -> Int {
      var (side, inputs, flops) = (resolution, 3, 0)
      for (width, count) in zip(channels, convolutions) {
        for index in 0..<count {
          flops += 2 * side * side * 9 * (index == 0 ? inputs : width) * width
        }
        (side, inputs) = (side / 2, width)
      }
      return flops
    }
  }

  /// The shape of the feature network.
  public let settings: Settings
  /// The names, shapes and layouts of the weights, as files have them: `features.I.weight` and
  /// `features.I.bias` with torchvision's numbers, and `linS.weight` [C] for each stage. Allocate
  /// it without gradients and fill it once, before the first use.
  public let parameters: ParameterSet
  /// The type of the operands of products in all layers but the first.
  public let precision: DType
  private let stages: [Stage]

  private struct Stage {
    let convolutions: [(weight: Parameter, bias: Parameter, panels: PackedWeights)]
    let channelWeights: Parameter
  }

  /// Declares the network; no memory is taken before `parameters.allocate`.
  public init(_ settings: Settings = Settings(), precision: DType = .float32) {
    invariant(
      settings.channels.count == settings.convolutions.count && !settings.channels.isEmpty
        && settings.convolutions.allSatisfy { $0 > 0 } && settings.channels.allSatisfy { $0 > 0 },
      "PerceptualDistance: \(settings)")
    (self.settings, self.precision) = (settings, precision)
    parameters = ParameterSet()
    let root = parameters.root
    var (inputs, index, stages) = (3, 0, [Stage]())
    for (stage, width) in settings.channels.enumerated() {
      var convolutions: [(weight: Parameter, bias: Parameter, panels: PackedWeights)] = []
      for _ in 0..<settings.convolutions[stage] {
        let scope = root("features", index)
        let weight = scope.parameter(
          "weight", [3, 3, inputs, width], .fanInUniform, layout: .convolution)
        convolutions.append((weight, scope.parameter("bias", [width], .zeros), PackedWeights()))
        (inputs, index) = (width, index + 2)  // torchvision numbers the ReLU too
      }
      index += 1  // and the pool
      let channelWeights = root("lin\(stage)").parameter("weight", [width], .ones)
      stages.append(Stage(convolutions: convolutions, channelWeights: channelWeights))
    }
    self.stages = stages
    parameters.seal()
  }

  /// The sum over images of weights[b] times the distance of x from the target, as a scalar [1],
  /// and its terms in f64, weight included. If x has a tape, the scalar has a gradient with respect
  /// to x; the target has none.
  public func callAsFunction(
    _ x: Variable, _ target: Tensor, weights: [Double]
  ) -> (total: Variable, terms: [Double]) {
    invariant(
      x.shape == target.shape && x.shape.rank == 4 && x.shape[3] == 3
        && min(x.shape[1], x.shape[2]) >= settings.leastResolution,
      "PerceptualDistance: x \(x.shape), target \(target.shape), \(stages.count) stages")
    var (features, targets) = (normalized(x), normalized(Variable(target)))
    var (total, terms): (Variable?, [Double]) = (nil, weights.map { _ in 0 })
    for (index, stage) in stages.enumerated() {
      (features, targets) = (stageFeatures(index, features), stageFeatures(index, targets))
      let distance = unitDistance(
        features, targets.value, channelWeights: stage.channelWeights.value, epsilon: 1e-10,
        weights: weights)
      total = total.map { $0 + distance.total } ?? distance.total
      for image in terms.indices { terms[image] += distance.terms[image] }
    }
    return (total ?? x, terms)
  }

  /// One stage: first a max pool (but not in the first stage), then convolutions with ReLU.
  private func stageFeatures(_ index: Int, _ x: Variable) -> Variable {
    var x = index == 0 ? x : maximumPool(x, ImageWindow(2, stride: 2))
    for (i, layer) in stages[index].convolutions.enumerated() {
      let y = convolution(
        x, Variable(layer.weight.value, keptIn: layer.panels), Variable(layer.bias.value), .same,
        compute: index == 0 && i == 0 ? .float32 : precision)
      x = leakyReLU(y, slope: 0)
    }
    return x
  }

  /// (x - shift) / scale, with the mean and standard deviation of ImageNet's pixels in [-1, 1].
  private func normalized(_ x: Variable) -> Variable {
    let shift: [Float] = [-0.030, -0.088, -0.188]
    let scale: [Float] = [0.458, 0.448, 0.450]
    let context = x.value.context
    var matrix = [Float](repeating: 0, count: 9)
    var offset = [Float](repeating: 0, count: 3)
    for channel in 0..<3 {
      matrix[4 * channel] = 1 / scale[channel]
      offset[channel] = -shift[channel] / scale[channel]
    }
    return linear(
      x, Variable(Tensor(matrix, [3, 3], on: context)), Variable(Tensor(offset, [3], on: context)))
  }
}
