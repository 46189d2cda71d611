import Autodiff
import TensorCore

/// The network's contract: (x_t, t) -> noise [B, H, W, C], or noise and v side by side, [B, H, W,
/// 2C].
extension DDPM: Formulation {
  /// A uniformly distributed timestep for the image at `position` of the run.
  public func draw(seed: UInt64, position: UInt64) -> NoiseDraw {
    draw(UniformTimesteps(steps: steps).draw(seed: seed, position: position))
  }

  /// How noisy an image is at a timestep that was drawn elsewhere, such as by
  /// `ImportanceTimesteps`.
  public func draw(_ drawn: (timestep: Int, weight: Double)) -> NoiseDraw {
    NoiseDraw(
      time: Double(drawn.timestep), sigma: sigmas[drawn.timestep], weight: drawn.weight)
  }

  /// The training loss of some images of a batch; see `Formulation`.
  public func loss(
    _ y: Tensor, draws: [NoiseDraw], noise: Tensor, batch: Int, on tape: Tape?, network: Network
  ) -> (share: Variable, terms: [Double]) {
    loss(
      y, timesteps: draws.map { Int($0.time) }, weights: draws.map(\.weight), noise: noise,
      batch: batch, on: tape, network: network)
  }

  /// The predicted clean images, and the learned variance if there is one; see `Formulation`.
  public func prediction(_ x: Tensor, sigma: [Double], network: Network) -> Prediction {
    let (clean, v) = denoise(x, sigma: sigma, network: network)
    return Prediction(clean: clean, variance: v)
  }

  /// The levels of `steps` respaced timesteps, or of all T timesteps if there are fewer.
  public func levels(steps: Int) -> NoiseLevels { levels(respaced: min(steps, self.steps)) }

  /// The factor from x to x_t, which is a variance-preserving scale.
  public func contrast(sigma: Double) -> Double { 1 / (1 + sigma * sigma).squareRoot() }

  /// The timestep at a noise level, and T.
  public func timesteps(at sigma: Double) -> (time: Double, steps: Int)? {
    (timestep(sigma: sigma), steps)
  }

  /// 1: DDPM's loss is a mean over elements, as it is here.
  public func lossScale(elements: Int) -> Double { 1 }
}
