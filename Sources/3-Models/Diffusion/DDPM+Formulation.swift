import Autodiff
import TensorCore

/// Network: (x_t, t) -> noise [B, H, W, C], or noise and v side by side, [B, H, W, 2C].
extension DDPM: Formulation {
  public func draw(seed: UInt64, position: UInt64) -> NoiseDraw {
    draw(UniformTimesteps(steps: steps).draw(seed: seed, position: position))
  }

  /// The draw of a timestep that something else has drawn.
  public func draw(_ drawn: (timestep: Int, weight: Double)) -> NoiseDraw {
    NoiseDraw(
      time: Double(drawn.timestep), sigma: sigmas[drawn.timestep], weight: drawn.weight)
  }

  public func loss(
    _ y: Tensor, draws: [NoiseDraw], noise: Tensor, batch: Int, on tape: Tape?, network: Network
  ) -> (share: Variable, terms: [Double]) {
    loss(
      y, timesteps: draws.map { Int($0.time) }, weights: draws.map(\.weight), noise: noise,
      batch: batch, on: tape, network: network)
  }

  public func prediction(_ x: Tensor, sigma: [Double], network: Network) -> Prediction {
    let (clean, v) = denoise(x, sigma: sigma, network: network)
    return Prediction(clean: clean, variance: v)
  }

  /// Those of `steps` respaced timesteps; of all T where there are fewer.
  public func levels(steps: Int) -> NoiseLevels { levels(respaced: min(steps, self.steps)) }

  /// x_t itself.
  public func contrast(sigma: Double) -> Double { 1 / (1 + sigma * sigma).squareRoot() }

  public func timesteps(at sigma: Double) -> (time: Double, steps: Int)? {
    (timestep(sigma: sigma), steps)
  }

  /// DDPM's loss is a mean over elements.
  public func lossScale(elements: Int) -> Double { 1 }
}
