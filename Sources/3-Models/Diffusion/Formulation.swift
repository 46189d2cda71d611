import Autodiff
import TensorCore

/// What a diffusion model is trained on and how its network is read: EDM's preconditioned denoiser, or
/// DDPM's noise prediction.
public protocol Formulation: Sendable {
  /// A raw network with its conditions bound: (input, time) -> what it predicts.
  typealias Network = (_ input: Variable, _ time: [Double]) -> Variable

  /// How noisy the training image at `position` of the run is.
  func draw(seed: UInt64, position: UInt64) -> NoiseDraw

  /// The training loss of some images of a batch: the sum of their losses / `batch`, so that the shares
  /// of all ranks and micro-batches add up to the batch's mean.
  ///
  /// Shapes: y and unit noise [B, H, W, C], draws [B].
  /// - Returns: the share as a scalar, on the tape if there is one, and each image's own loss.
  func loss(
    _ y: Tensor, draws: [NoiseDraw], noise: Tensor, batch: Int, on tape: Tape?, network: Network
  ) -> (share: Variable, terms: [Double])

  /// What the network makes of images with noise of standard deviation sigma, x = clean + sigma n.
  ///
  /// Shapes: x [B, H, W, C], sigma [B].
  func prediction(_ x: Tensor, sigma: [Double], network: Network) -> Prediction

  /// The noise levels of `steps` steps of sampling.
  func levels(steps: Int) -> NoiseLevels

  /// What an image with noise of this standard deviation is multiplied by to be looked at.
  func contrast(sigma: Double) -> Double

  /// The timestep at a noise level, and how many there are; nil where time is the noise level itself.
  func timesteps(at sigma: Double) -> (time: Double, steps: Int)?

  /// What the published loss is, a multiple of ours: an image's elements where it is their sum, 1 where it
  /// is their mean.
  func lossScale(elements: Int) -> Double
}

/// How noisy a training image is.
public struct NoiseDraw: Sendable, Hashable {
  /// What the formulation calls time: EDM's sigma, DDPM's timestep.
  public var time: Double
  /// Standard deviation of the noise on an image of unit scale.
  public var sigma: Double
  /// Of its loss, where times are not drawn evenly.
  public var weight: Double

  public init(time: Double, sigma: Double, weight: Double = 1) {
    (self.time, self.sigma, self.weight) = (time, sigma, weight)
  }
}

/// What a network makes of noisy images.
public struct Prediction {
  /// E[clean | x], [B, H, W, C].
  public var clean: Tensor
  /// Where in [-1, 1] the log-variance of DDPM's step lies, [B, H, W, C]; nil where none is learned.
  public var variance: Tensor?

  public init(clean: Tensor, variance: Tensor? = nil) {
    (self.clean, self.variance) = (clean, variance)
  }
}

/// Unit noise of the training images at `positions` of a run.
///
/// - Returns: a tensor of the shape of `images`, [B, H, W, C].
public func trainingNoise(seed: UInt64, positions: [UInt64], like images: Tensor) -> Tensor {
  invariant(
    positions.count == images.shape[0],
    "trainingNoise: \(positions.count) positions for images \(images.shape)")
  let noise = Tensor(images.shape, on: images.context)
  let inner = images.count / max(positions.count, 1)
  noise.withFloats { to in
    images.context.threads.forRanges(of: positions.count) { range in
      for image in range {
        RandomStream(seed: seed, .noise, position: positions[image])
          .fillNormals(to + image * inner, count: inner)
      }
    }
  }
  return noise
}
