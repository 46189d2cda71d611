import Autodiff
import NeuralNetworks
import TensorCore

/// Latent DiffiT: a vision transformer of DiffiT blocks over the latents of an autoencoder, without
/// up- or downsampling; attention sees all tokens.
///
/// Source: arXiv:2312.02139v3, section 3.3; where the paper is silent, the PyTorch oracle. Checkpoint
/// keys are the oracle's. Parameters are declared in the order of the forward pass.
/// Shapes: z [B, S, S, C], time [B] -> [B, S, S, 2 C]: the noise estimate, then the interpolation v of
/// the log-variance; [B, S, S, C] without a learned variance. f32.
public struct LatentDiffiT: DenoisingNetwork {
  public let settings: Settings
  public let parameters: ParameterSet
  /// Type of activations inside blocks, and of what their products multiply. The first and the last layer,
  /// the residual stream, the time token's path and the result are f32.
  public let precision: DType
  /// Whether backward computes the activations of each block again, instead of keeping them.
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
        dropout: s.dropout, precision: s.precision(precision, width: s.width))
    }
    head = Linear(
      root("final_layer", "linear"), in: s.width, out: s.patch * s.patch * s.outputChannels,
      initializer: .zeros)
    parameters.seal()
  }

  /// The time token x_t: the timestep through an MLP, and the class.
  ///
  /// Shapes: time [B], labels [B] (nil: no label) -> [B, width].
  func timeToken(_ time: [Double], labels given: [Int?]?, beside x: Variable) -> Variable {
    let wave = PositionalEmbedding.adm(time, width: Settings.embedDim, on: x.value.context)
    let e = timeMLP.first(x.tape?.constant(wave) ?? Variable(wave))
    return timeMLP.second(silu(e)) + labels(given ?? time.map { _ in nil }, beside: x)
  }

  public func callAsFunction(
    _ z: Variable, time: [Double], labels: [Int?]? = nil, augment: Tensor? = nil
  ) -> Variable {
    let batch = time.count
    invariant(
      z.shape == settings.imageShape(batch: batch) && augment == nil,
      "LatentDiffiT: z \(z.shape), \(batch) times, augmentation labels"
        + " \(String(describing: augment?.shape)), \(settings)")
    let xt = timeToken(time, labels: labels, beside: z)
    let places = positions(batch: batch, on: z.value.context)
    var x = embedder(z, addedTo: z.tape?.constant(places) ?? Variable(places))
    for block in blocks {
      x = recomputes ? recomputed([x, xt]) { block($0[0], at: $0[1]) } : block(x, at: xt)
    }
    x = head(silu(layerNorm(x, epsilon: 1e-6)))
    return image(ofPatches: x, patch: settings.patch)
  }

  /// The position table, once an image: [B, S / p, S / p, width].
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
