import Autodiff
import NeuralNetworks
import TensorCore

/// Latent DiffiT: a vision transformer of DiffiT blocks on the latents of an autoencoder, without
/// up- or downsampling. Attention sees all tokens.
///
/// Source: arXiv:2312.02139v3, section 3.3, and the PyTorch reference in this repository for what
/// the paper leaves open. Checkpoint keys are those of the reference. Parameters are declared in
/// the order of the forward pass.
/// Shapes: z [B, S, S, C], time [B] -> [B, S, S, 2 C], first the predicted noise and then the
/// interpolation v of the log variance, or [B, S, S, C] without a learned variance. f32.
///
/// ```swift
/// import Autodiff
/// import DiffiTModels
/// import TensorCore
///
/// var settings = LatentDiffiT.Settings()
/// (settings.resolution, settings.width, settings.depth, settings.heads) = (8, 64, 2, 2)
/// let network = LatentDiffiT(settings)
/// network.parameters.allocate(on: ComputeContext(), gradients: false)
/// network.parameters.initialize(seed: 1)
/// let noisy = Tensor(zeros: [1, 8, 8, 4], on: network.parameters.weights.context)
/// print(network(Variable(noisy), time: [999], labels: [7]).shape)  // [1, 8, 8, 8]
/// ```
public struct LatentDiffiT: DenoisingNetwork {
  /// The hyperparameters.
  public let settings: Settings
  /// All parameters, sealed.
  public let parameters: ParameterSet
  /// The type of activations inside blocks, and of the operands of their products. The first and
  /// last layer, the residual stream, the path of the time token and the result are f32.
  public let precision: DType
  /// Whether backward computes the activations of each block again instead of saving them.
  public let recomputes: Bool
  let timeMLP: (first: Linear, second: Linear)
  let labels: LabelEmbedding
  let embedder: PatchEmbedding
  let blocks: [DiffiTBlock]
  let head: Linear

  /// Declares the network; no memory is taken before `parameters.allocate`.
  public init(_ settings: Settings, precision: DType = .float32, recomputes: Bool = false) {
    let s = settings
    invariant(s.problem == nil, "LatentDiffiT: \(s.problem?.description ?? "")")
    (self.settings, self.precision, self.recomputes) = (s, precision, recomputes)
    parameters = ParameterSet()
    let root = parameters.root
    timeMLP = (
      Linear(root("t_embedder", "mlp", 0), in: Settings.embedDim, out: s.width),
      Linear(root("t_embedder", "mlp", 2), in: s.width, out: s.width)
    )
    labels = LabelEmbedding(root("y_embedder"), classes: s.classes, width: s.width)
    embedder = PatchEmbedding(
      root("x_embedder", "proj"), in: s.latentChannels, out: s.width, patch: s.patch)
    blocks = (0..<s.depth).map { index in
      DiffiTBlock(
        root("blocks", index), width: s.width, timeDim: s.width, heads: s.heads, window: s.grid,
        dropout: s.dropout, zeroInit: s.zeroInit, precision: s.precision(precision, width: s.width))
    }
    head = Linear(
      root("final_layer", "linear"), in: s.width, out: s.patch * s.patch * s.outputChannels,
      initializer: .zeros)
    parameters.seal()
  }

  /// The time token x_t: an MLP of the timestep, plus the embedding of the class.
  ///
  /// Shapes: time [B], labels [B] (nil for no label) -> [B, width].
  func timeToken(_ time: [Double], labels given: [Int?]?, beside x: Variable) -> Variable {
    let wave = PositionalEmbedding.adm(time, width: Settings.embedDim, on: x.value.context)
    let e = timeMLP.first(x.tape?.constant(wave) ?? Variable(wave))
    return timeMLP.second(silu(e)) + labels(given ?? time.map { _ in nil }, beside: x)
  }

  /// The network's raw output; see `DenoisingNetwork`. `augment` must be nil.
  public func callAsFunction(
    _ z: Variable, time: [Double], labels: [Int?]? = nil, augment: Tensor? = nil
  ) -> Variable {
    let batch = time.count
    invariant(
      z.shape == settings.imageShape(batch: batch) && augment == nil,
      "LatentDiffiT: z \(z.shape), \(batch) times, augmentation labels"
        + " \(String(describing: augment?.shape)), \(settings)")
    let xt = timeToken(time, labels: labels, beside: z)
    let table = positions(batch: batch, on: z.value.context)
    var x = embedder(z, addedTo: z.tape?.constant(table) ?? Variable(table))
    for block in blocks {
      x = recomputes ? recomputed([x, xt]) { block($0[0], at: $0[1]) } : block(x, at: xt)
    }
    x = head(silu(layerNorm(x, epsilon: 1e-6)))
    return image(ofPatches: x, patch: settings.patch)
  }

  /// The position table, repeated for each image: [B, S / p, S / p, width].
  private func positions(batch: Int, on context: ComputeContext) -> Tensor {
    let (grid, width) = (settings.grid, settings.width)
    let table = positionTable(side: grid, width: width, on: context)
    let all = Tensor([batch, grid, grid, width], on: context)
    withFloats(table, all) { from, to in
      context.threads.forRanges(of: batch) { range in
        for image in range { (to + image * table.count).update(from: from, count: table.count) }
      }
    }
    return all
  }
}
