import Autodiff
import TensorCore

/// EDM: its preconditioning of a network, its noise levels in training and its loss.
///
/// Source: Karras et al., "Elucidating the design space of diffusion-based generative models",
/// arXiv:2206.00364, Table 1, column "Ours". Sigma is the standard deviation of the noise that is
/// added to images in [-1, 1].
///
/// ```swift
/// import Autodiff
/// import Diffusion
/// import TensorCore
///
/// let (edm, context) = (EDM(), ComputeContext())
/// let image = Tensor(zeros: [1, 8, 8, 3], on: context)
/// let sigma = edm.sigma(seed: 1, position: 0)
/// let noise = trainingNoise(seed: 1, positions: [0], like: image)
/// // A "network" that returns its input; a real one is called here with its labels.
/// let (loss, _) = edm.loss(image, sigma: [sigma], noise: noise, batch: 1) { input, _ in input }
/// print(loss.value.floats[0])
/// ```
public struct EDM: Formulation {
  /// The mean of ln sigma in training.
  public var pMean = -1.2
  /// The standard deviation of ln sigma in training.
  public var pStd = 1.2
  /// The standard deviation of the images' pixels.
  public var sigmaData = 0.5

  /// The published values: -1.2, 1.2 and 0.5.
  public init() {}

  /// Other values.
  public init(pMean: Double, pStd: Double, sigmaData: Double) {
    (self.pMean, self.pStd, self.sigmaData) = (pMean, pStd, sigmaData)
  }

  /// c_skip(s), the factor of the noisy image in the denoised image.
  public func cSkip(_ s: Double) -> Double { sigmaData * sigmaData / variance(s) }
  /// c_out(s), the factor of the network's output in the denoised image.
  public func cOut(_ s: Double) -> Double { s * sigmaData / variance(s).squareRoot() }
  /// c_in(s), the factor that scales noisy images to unit variance for the network.
  public func cIn(_ s: Double) -> Double { 1 / variance(s).squareRoot() }
  /// c_noise(s) = ln(s) / 4, which the network sees as time.
  public func cNoise(_ s: Double) -> Double { PortableMath.log(s) / 4 }
  /// lambda(s) = 1 / c_out(s)^2, the weight of the loss at noise level s.
  public func weight(_ s: Double) -> Double { variance(s) / (s * sigmaData * s * sigmaData) }
  private func variance(_ s: Double) -> Double { s * s + sigmaData * sigmaData }

  /// The denoised images D(x; sigma) = c_skip x + c_out F(c_in x; c_noise), eq. (7).
  ///
  /// Shapes: x [B, H, W, C], sigma [B] -> [B, H, W, C]. With a tape, the use of F's parameters is
  /// recorded.
  public func denoise(
    _ x: Tensor, sigma: [Double], on tape: Tape? = nil, network: Network
  ) -> Variable {
    let input = scale(Variable(x), by: sigma.map { Float(cIn($0)) }).value
    let raw = network(tape?.constant(input) ?? Variable(input), sigma.map(cNoise))
    let skip = scale(Variable(x), by: sigma.map { Float(cSkip($0)) }).value
    return scale(raw, by: sigma.map { Float(cOut($0)) }, plus: skip)
  }

  /// The noise level of the image at `position` of the run: ln sigma ~ N(p_mean, p_std^2).
  public func sigma(seed: UInt64, position: UInt64) -> Double {
    let normal = RandomStream(seed: seed, .sigma, position: position).normal(0)
    return PortableMath.exp(pMean + pStd * normal)
  }

  /// The training loss of some images of a batch: the sum over them of weight(sigma) mean((D(y +
  /// sigma n; sigma) - y)^2) / `batch`, so that the shares of all ranks and micro-batches add up to
  /// the mean over the batch.
  ///
  /// - Parameters:
  ///   - y: clean images, [B, H, W, C].
  ///   - sigma: one noise level per image, [B].
  ///   - weights: what multiplies the loss of each image besides weight(sigma), [B]; nil for 1
  ///     each.
  ///   - noise: standard normal noise, [B, H, W, C].
  ///   - batch: images of the whole batch.
  ///   - tape: records the pass; nil without gradients.
  ///   - network: the raw network F with its conditions bound.
  /// - Returns: the share as a scalar, on the tape if there is one, and the loss of each image,
  ///   weight(sigma) included and `weights` not.
  public func loss(
    _ y: Tensor, sigma: [Double], weights: [Double]? = nil, noise: Tensor, batch: Int,
    on tape: Tape? = nil, network: Network
  ) -> (share: Variable, terms: [Double]) {
    let weights = weights ?? sigma.map { _ in 1 }
    invariant(
      weights.count == sigma.count, "EDM.loss: \(weights.count) weights, \(sigma.count) levels")
    let noisy = scale(Variable(noise), by: sigma.map { Float($0) }, plus: y).value
    let denoised = denoise(noisy, sigma: sigma, on: tape, network: network)
    let (share, terms) = squaredError(
      denoised, y, weights: zip(sigma, weights).map { weight($0) * $1 / Double(batch) })
    return (share, zip(terms, weights).map { $0 * Double(batch) / $1 })
  }

  /// The noise level of the image at `position` of the run, which is EDM's time too.
  public func draw(seed: UInt64, position: UInt64) -> NoiseDraw {
    let sigma = sigma(seed: seed, position: position)
    return NoiseDraw(time: sigma, sigma: sigma)
  }

  /// The training loss of some images of a batch; see `Formulation`.
  public func loss(
    _ y: Tensor, draws: [NoiseDraw], noise: Tensor, batch: Int, on tape: Tape?, network: Network
  ) -> (share: Variable, terms: [Double]) {
    loss(
      y, sigma: draws.map(\.sigma), weights: draws.map(\.weight), noise: noise, batch: batch,
      on: tape, network: network)
  }

  /// The denoised images; see `Formulation`.
  public func prediction(_ x: Tensor, sigma: [Double], network: Network) -> Prediction {
    Prediction(clean: denoise(x, sigma: sigma, network: network).value)
  }

  /// EDM's noise levels, `NoiseLevels.edm`.
  public func levels(steps: Int) -> NoiseLevels { .edm(steps: steps) }

  /// The factor that gives noisy images the standard deviation of clean images at every level.
  public func contrast(sigma: Double) -> Double { cIn(sigma) * sigmaData }

  /// Nil: EDM's time is the noise level itself.
  public func timesteps(at sigma: Double) -> (time: Double, steps: Int)? { nil }

  /// The number of elements: EDM's loss is a sum over the elements of an image, here it is a mean.
  public func lossScale(elements: Int) -> Double { Double(elements) }
}
