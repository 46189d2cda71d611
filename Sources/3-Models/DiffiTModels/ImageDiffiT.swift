import Autodiff
import NeuralNetworks
import TensorCore

/// Image-space DiffiT: a U-shaped network of DiffiT ResBlocks. With EDM it is the raw network F
/// inside the preconditioning.
///
/// Source: arXiv:2312.02139v3, Fig. 4, Tables S.2 and S.3. Checkpoint keys are the property names
/// of the PyTorch reference in this repository. Parameters are declared in the order of the forward
/// pass.
/// Shapes: x [B, R, R, 3], time [B] -> [B, R, R, 3], or [B, R, R, 6] if it learns a variance; f32.
///
/// ```swift
/// import Autodiff
/// import DiffiTModels
/// import TensorCore
///
/// var settings = ImageDiffiT.Settings()
/// (settings.resolution, settings.channels, settings.blocks) = (8, [32, 32], [1, 1])
/// let network = ImageDiffiT(settings)
/// network.parameters.allocate(on: ComputeContext(), gradients: false)
/// network.parameters.initialize(seed: 1)
/// let noisy = Tensor(zeros: [1, 8, 8, 3], on: network.parameters.weights.context)
/// print(network(Variable(noisy), time: [0.5]).shape)  // [1, 8, 8, 3]
/// ```
public struct ImageDiffiT: DenoisingNetwork {
  /// The hyperparameters.
  public let settings: Settings
  /// All parameters, sealed.
  public let parameters: ParameterSet
  /// The type of activations inside ResBlocks, and of the operands of products between the first
  /// and the last layer, in stages of at least `Settings.leastBF16Width` channels. The first and
  /// last layer, the residual stream, the path of the time token and the result are f32.
  public let precision: DType
  /// Whether backward computes the activations of each ResBlock again instead of saving them.
  public let recomputes: Bool
  let mapLabel: Linear?
  let mapAugment: Linear?
  let timeMLP: (first: Linear, second: Linear)
  let tokenizer: Convolution
  let encoder: [Stage]
  let decoder: [Stage]
  let headNorm: GroupNorm
  let head: Convolution

  /// The blocks of one resolution, and the convolution that changes the resolution: after the
  /// blocks in the encoder (nil in the coarsest stage), before them in the decoder.
  struct Stage {
    let blocks: [DiffiTResBlock]
    let resample: Convolution?
  }

  /// Declares the network; no memory is taken before `parameters.allocate`.
  public init(_ settings: Settings, precision: DType = .float32, recomputes: Bool = false) {
    (self.precision, self.recomputes) = (precision, recomputes)
    let s = settings
    invariant(s.problem == nil, "ImageDiffiT: \(s.problem?.description ?? "")")
    self.settings = s
    parameters = ParameterSet()
    let root = parameters.root
    mapLabel =
      s.classes > 0 ? Linear(root("map_label"), in: s.classes, out: s.embedDim) : nil
    mapAugment =
      s.augmentLabels > 0
      ? Linear(root("map_augment"), in: s.augmentLabels, out: s.embedDim, bias: false) : nil
    timeMLP = (
      Linear(root("time_mlp", 0), in: s.embedDim, out: s.timeDim),
      Linear(root("time_mlp", 1), in: s.timeDim, out: s.timeDim)
    )
    tokenizer = Convolution(root("tokenizer"), in: s.imageChannels, out: s.channels[0])

    func blocks(_ scope: ParameterScope, in inputs: Int, stage: Int) -> [DiffiTResBlock] {
      (0..<s.blocks[stage]).map { index in
        DiffiTResBlock(
          scope(index), in: index == 0 ? inputs : s.channels[stage], out: s.channels[stage],
          timeDim: s.timeDim, headDim: s.headDim, window: s.window(stage: stage),
          dropout: s.dropout, zeroInit: s.zeroInit,
          precision: s.precision(precision, width: s.channels[stage]))
      }
    }
    let last = s.channels.count - 1
    encoder = (0...last).map { stage in
      let width = s.channels[stage]
      let cells = blocks(
        root("encoder", stage), in: s.channels[max(stage - 1, 0)], stage: stage)
      let down =
        stage < last
        ? Convolution(
          root("down", stage), in: width, out: width, .down,
          compute: s.precision(precision, width: width)) : nil
      return Stage(blocks: cells, resample: down)
    }
    decoder = (0..<last).map { step in
      let stage = last - 1 - step
      let below = s.channels[stage + 1]
      let up = Convolution(
        root("up", step), in: below, out: below, .up,
        compute: s.precision(precision, width: below))
      let cells = blocks(root("decoder", step), in: below + s.channels[stage], stage: stage)
      return Stage(blocks: cells, resample: up)
    }
    headNorm = GroupNorm(root("head_norm"), channels: s.channels[0])
    head = Convolution(root("head_conv"), in: s.channels[0], out: s.outputChannels, zero: true)
    parameters.seal()
  }

  /// The time token x_t of eq. (3)-(5): an MLP of the noise level, the class and the augmentation.
  ///
  /// Shapes: time [B], labels [B] (nil for no label), augment [B, 9] -> [B, T].
  func timeToken(
    _ time: [Double], labels: [Int?]?, augment: Tensor?, like x: Variable
  ) -> Variable {
    let context = x.value.context
    func constant(_ t: Tensor) -> Variable { x.tape?.constant(t) ?? Variable(t) }
    var e = constant(PositionalEmbedding.edm(time, width: settings.embedDim, on: context))
    if let mapLabel {
      let row = oneHot(
        labels ?? time.map { _ in nil }, classes: settings.classes,
        value: Float(settings.classes).squareRoot(), on: context)
      e = e + mapLabel(constant(row))
    }
    if let mapAugment, let augment { e = e + mapAugment(constant(augment)) }
    return silu(timeMLP.second(silu(timeMLP.first(e))))
  }

  /// The network's raw output; see `DenoisingNetwork`.
  public func callAsFunction(
    _ x: Variable, time: [Double], labels: [Int?]? = nil, augment: Tensor? = nil
  ) -> Variable {
    invariant(
      x.shape == settings.imageShape(batch: time.count),
      "ImageDiffiT: x \(x.shape), \(time.count) times, \(settings)")
    invariant(
      (labels == nil || settings.classes > 0) && (augment == nil || settings.augmentLabels > 0),
      "ImageDiffiT: labels or augmentation for a network without that input, \(settings)")
    let xt = timeToken(time, labels: labels, augment: augment, like: x)
    func run(_ block: DiffiTResBlock, _ x: Variable) -> Variable {
      recomputes ? recomputed([x, xt]) { block($0[0], at: $0[1]) } : block(x, at: xt)
    }
    var x = tokenizer(x)
    var skips: [Variable] = []
    for stage in encoder {
      for block in stage.blocks { x = run(block, x) }
      guard let down = stage.resample else { continue }
      skips.append(x)
      x = down(x)
    }
    for stage in decoder {
      if let up = stage.resample { x = concatenate(up(x), skips.removeLast()) }
      for block in stage.blocks { x = run(block, x) }
    }
    return head(headNorm(x))  // Fig. 4: GN, then Conv3x3
  }
}
