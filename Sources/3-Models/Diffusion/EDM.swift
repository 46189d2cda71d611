import Autodiff
import TensorCore

/// EDM's preconditioning and training distribution.
///
/// Source: Karras et al., "Elucidating the design space of diffusion-based generative models",
/// arXiv:2206.00364, Table 1, column "Ours". Sigma is a standard deviation of noise added to images
/// in [-1, 1].
public struct EDM: Formulation {
  public var pMean = -1.2
  public var pStd = 1.2
  public var sigmaData = 0.5

  public init() {}

  public init(pMean: Double, pStd: Double, sigmaData: Double) {
    (self.pMean, self.pStd, self.sigmaData) = (pMean, pStd, sigmaData)
  }

  // Coefficients at noise level s, symbols of the paper.
  public func cSkip(_ s: Double) -> Double { sigmaData * sigmaData / variance(s) }
  public func cOut(_ s: Double) -> Double { s * sigmaData / variance(s).squareRoot() }
  public func cIn(_ s: Double) -> Double { 1 / variance(s).squareRoot() }
  public func cNoise(_ s: Double) -> Double { PortableMath.log(s) / 4 }
  /// The loss weight lambda(s) = 1 / cOut(s)^2.
  public func weight(_ s: Double) -> Double { variance(s) / (s * sigmaData * s * sigmaData) }
  private func variance(_ s: Double) -> Double { s * s + sigmaData * sigmaData }

  /// D(x; sigma) = c_skip x + c_out F(c_in x; c_noise), eq. (7).
  ///
  /// Shapes: x [B, H, W, C], sigma [B] -> [B, H, W, C]. With a tape, F's parameters are recorded.
  public func denoise(
    _ x: Tensor, sigma: [Double], on tape: Tape? = nil, network: Network
  ) -> Variable {
    let input = scale(Variable(x), by: sigma.map { Float(cIn($0)) }).value
    let raw = network(tape?.constant(input) ?? Variable(input), sigma.map(cNoise))
    let skip = scale(Variable(x), by: sigma.map { Float(cSkip($0)) }).value
    return scale(raw, by: sigma.map { Float(cOut($0)) }, plus: skip)
  }

  /// Noise level of the image at `position` of the run: ln sigma ~ N(p_mean, p_std^2).
  public func sigma(seed: UInt64, position: UInt64) -> Double {
    let normal = RandomStream(seed: seed, .sigma, position: position).normal(0)
    return PortableMath.exp(pMean + pStd * normal)
  }

  /// The training loss of some images of a batch: sum over them of
  /// weight(sigma) mean((D(y + sigma n; sigma) - y)^2) / `batch`, so that the shares of all ranks and
  /// micro-batches add up to the batch's mean.
  ///
  /// - Returns: the share as a scalar, on the tape if there is one, and each image's own loss.
  public func loss(
    _ y: Tensor, sigma: [Double], noise: Tensor, batch: Int, on tape: Tape? = nil, network: Network
  ) -> (share: Variable, terms: [Double]) {
    let noisy = scale(Variable(noise), by: sigma.map { Float($0) }, plus: y).value
    let denoised = denoise(noisy, sigma: sigma, on: tape, network: network)
    let (share, terms) = squaredError(
      denoised, y, weights: sigma.map { weight($0) / Double(batch) })
    return (share, terms.map { $0 * Double(batch) })
  }
  public func draw(seed: UInt64, position: UInt64) -> NoiseDraw {
    let sigma = sigma(seed: seed, position: position)
    return NoiseDraw(time: sigma, sigma: sigma)
  }

  public func loss(
    _ y: Tensor, draws: [NoiseDraw], noise: Tensor, batch: Int, on tape: Tape?, network: Network
  ) -> (share: Variable, terms: [Double]) {
    loss(y, sigma: draws.map(\.sigma), noise: noise, batch: batch, on: tape, network: network)
  }

  public func prediction(_ x: Tensor, sigma: [Double], network: Network) -> Prediction {
    Prediction(clean: denoise(x, sigma: sigma, network: network).value)
  }

  public func levels(steps: Int) -> NoiseLevels { .edm(steps: steps) }

  /// An image's standard deviation at every level.
  public func contrast(sigma: Double) -> Double { cIn(sigma) * sigmaData }

  public func timesteps(at sigma: Double) -> (time: Double, steps: Int)? { nil }

  /// EDM adds an image up.
  public func lossScale(elements: Int) -> Double { Double(elements) }
}
