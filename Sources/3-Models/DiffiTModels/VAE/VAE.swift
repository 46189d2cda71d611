import Autodiff
import NeuralNetworks
import TensorCore

/// The KL autoencoder of latent diffusion (variational autoencoder): it encodes images as Gaussians
/// over latents, and decodes latents to images.
///
/// Source: Rombach et al., arXiv:2112.10752, section 3.1 and appendix G; checkpoint keys are those
/// of `AutoencoderKL` in diffusers. Parameters are declared in the order of the forward pass.
/// Shapes: x [B, H, W, 3] with H and W multiples of the factor f -> mean, logVariance [B, H / f, W
/// / f, 4]; z [B, h, w, 4] -> [B, f h, f w, 3]; all f32. The result of an image does not depend on
/// its batch.
///
/// ```swift
/// import Autodiff
/// import DiffiTModels
/// import TensorCore
///
/// var settings = VAE.Settings()
/// (settings.resolution, settings.channels, settings.groups) = (32, [32, 32], 8)
/// let vae = VAE(settings)
/// vae.parameters.allocate(on: ComputeContext(), gradients: false)
/// vae.parameters.initialize(seed: 1)
/// let image = Variable(Tensor(zeros: [1, 32, 32, 3], on: vae.parameters.weights.context))
/// let (mean, _) = vae.encode(image)
/// print(mean.shape, vae.decode(mean).shape)  // [1, 16, 16, 4] [1, 32, 32, 3]
/// ```
public struct VAE {
  /// The hyperparameters.
  public let settings: Settings
  /// All parameters, sealed.
  public let parameters: ParameterSet
  /// The type of activations inside ResBlocks and attention, and of the operands of products, in
  /// blocks of at least `ImageDiffiT.Settings.leastBF16Width` channels. The layers next to images
  /// and latents, the norms and the residual stream are f32.
  public let precision: DType
  /// Whether backward computes the activations of each ResBlock again instead of saving them.
  public let recomputes: Bool
  let encoder: Encoder
  let quantize: PointwiseConvolution
  let dequantize: PointwiseConvolution
  let decoder: Decoder

  /// Log variances are clamped to these limits, as in diffusers.
  public static let logVarianceLimits: ClosedRange<Float> = -30...20

  /// Declares the network; no memory is taken before `parameters.allocate`.
  public init(_ settings: Settings, precision: DType = .float32, recomputes: Bool = false) {
    invariant(settings.problem == nil, "VAE: \(settings.problem?.description ?? "")")
    (self.settings, self.precision, self.recomputes) = (settings, precision, recomputes)
    parameters = ParameterSet()
    let (root, latents) = (parameters.root, settings.latentChannels)
    encoder = Encoder(root("encoder"), settings, precision)
    quantize = PointwiseConvolution(
      root("quant_conv"), in: 2 * latents, out: 2 * latents, initializer: .fanInUniform)
    dequantize = PointwiseConvolution(
      root("post_quant_conv"), in: latents, out: latents, initializer: .fanInUniform)
    decoder = Decoder(root("decoder"), settings, precision)
    parameters.seal()
  }

  /// The mean and log variance of each latent element, the latter clamped to `logVarianceLimits`.
  public func encode(_ x: Variable) -> (mean: Variable, logVariance: Variable) {
    gaussianMoments(moments(x), limits: Self.logVarianceLimits)
  }

  /// A sample of the latents: mean + exp(logVariance / 2) noise, for standard normal noise of their
  /// shape.
  public func sample(_ mean: Variable, _ logVariance: Variable, noise: Tensor) -> Variable {
    gaussianDraw(mean, logVariance, noise: noise)
  }

  /// The images of latents: z [B, h, w, 4] -> [B, f h, f w, 3].
  public func decode(_ z: Variable) -> Variable { decodeInParts(z).image }

  /// The input of the last convolution, and its result, which is the image; see
  /// `lastLayerGradient`.
  public func decodeInParts(_ z: Variable) -> (hidden: Variable, image: Variable) {
    invariant(
      z.shape.rank == 4 && z.shape[3] == settings.latentChannels,
      "VAE.decode: z \(z.shape), \(settings.latentChannels) latent channels")
    let hidden = decoder.hidden(dequantize(z), run)
    return (hidden, decoder.last(hidden))
  }

  /// The mean and the unclamped log variance side by side, [B, H / f, W / f, 8].
  func moments(_ x: Variable) -> Variable {
    let (s, f) = (settings, settings.factor)
    invariant(
      x.shape.rank == 4 && x.shape[3] == s.imageChannels && x.shape[1] % f == 0
        && x.shape[2] % f == 0,
      "VAE.encode: x \(x.shape), a factor of \(f) and \(s.imageChannels) channels")
    return quantize(encoder(x, run))
  }

  private func run(_ block: VAEResBlock, _ x: Variable) -> Variable {
    recomputes ? recomputed([x]) { block($0[0]) } : block(x)
  }
}

extension VAE {
  /// The weight of the decoder's last convolution, [3, 3, C, 3].
  public var lastLayer: Parameter { decoder.last.weight }

  /// The gradient of `lastLayer` that belongs to a gradient of the image [B, H, W, 3], by one small
  /// product instead of a reverse pass. Source: Esser et al., arXiv:2012.09841, eq. (7), balances
  /// two losses by the norms of such gradients.
  ///
  /// - Parameters:
  ///   - hidden: what `decodeInParts` returned.
  ///   - image: the gradient of the image.
  ///   - gradient: receives the result, [3, 3, C, 3].
  ///   - accumulate: whether the result is added to `gradient`.
  public func lastLayerGradient(
    hidden: Tensor, image: Tensor, into gradient: Tensor, accumulate: Bool
  ) {
    convolutionWeightGradient(hidden, image, .same, into: gradient, accumulate: accumulate)
  }
}
