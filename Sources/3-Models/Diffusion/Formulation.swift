import Autodiff
import TensorCore

/// How a diffusion model is trained, and how its network's output is read: EDM's preconditioned
/// denoiser, or DDPM's noise prediction.
///
/// ```swift
/// import Diffusion
///
/// let formulations: [any Formulation] = [EDM(), DDPM()]
/// for formulation in formulations {
///   print(formulation.draw(seed: 1, position: 0).sigma, formulation.levels(steps: 18).sigmas[0])
/// }
/// ```
public protocol Formulation: Sendable {
  /// A raw network with its conditions bound: (input, time) -> what it predicts.
  typealias Network = (_ input: Variable, _ time: [Double]) -> Variable

  /// How noisy the training image at `position` of the run is.
  func draw(seed: UInt64, position: UInt64) -> NoiseDraw

  /// The training loss of some images of a batch: the sum of their weighted losses / `batch`, so
  /// that the shares of all ranks and micro-batches add up to the mean over the batch.
  ///
  /// Shapes: y and standard normal noise [B, H, W, C], draws [B].
  ///
  /// - Parameters:
  ///   - y: clean images.
  ///   - draws: how noisy each image is.
  ///   - noise: the noise of each image before it is scaled.
  ///   - batch: images of the whole batch.
  ///   - tape: records the pass; nil without gradients.
  ///   - network: the raw network with its conditions bound.
  /// - Returns: the share as a scalar, on the tape if there is one, and the loss of each image
  ///   without the weight of its draw.
  func loss(
    _ y: Tensor, draws: [NoiseDraw], noise: Tensor, batch: Int, on tape: Tape?, network: Network
  ) -> (share: Variable, terms: [Double])

  /// What the network predicts for images with noise of standard deviation sigma, x = clean + sigma
  /// n.
  ///
  /// Shapes: x [B, H, W, C], sigma [B].
  func prediction(_ x: Tensor, sigma: [Double], network: Network) -> Prediction

  /// The noise levels that sampling in `steps` steps visits.
  func levels(steps: Int) -> NoiseLevels

  /// The factor that brings an image with noise of this standard deviation into a range in which it
  /// can be viewed.
  func contrast(sigma: Double) -> Double

  /// The timestep at a noise level, and the number of timesteps; nil if time is the noise level
  /// itself.
  func timesteps(at sigma: Double) -> (time: Double, steps: Int)?

  /// The ratio of the loss as published to the loss minimised here: the number of elements of an
  /// image if the published loss sums over them, and 1 if it is a mean.
  func lossScale(elements: Int) -> Double
}

/// How noisy a training image is.
public struct NoiseDraw: Sendable, Hashable {
  /// What the formulation calls time: sigma for EDM, the timestep for DDPM.
  public var time: Double
  /// The standard deviation of the noise, relative to an image in [-1, 1].
  public var sigma: Double
  /// The weight of the image's loss, which is not 1 if times are not distributed uniformly, or if
  /// noise levels have learned weights.
  public var weight: Double

  /// A draw of this time and noise level.
  public init(time: Double, sigma: Double, weight: Double = 1) {
    (self.time, self.sigma, self.weight) = (time, sigma, weight)
  }
}

/// What a network predicts for noisy images.
public struct Prediction {
  /// The predicted clean images E[clean | x], [B, H, W, C].
  public var clean: Tensor
  /// The position v of the log variance of DDPM's step between its two bounds, about in [-1, 1],
  /// [B, H, W, C]; nil if no variance is learned.
  public var variance: Tensor?

  /// A prediction with or without a variance.
  public init(clean: Tensor, variance: Tensor? = nil) {
    (self.clean, self.variance) = (clean, variance)
  }
}

/// Standard normal noise for the training images at `positions` of a run.
///
/// - Parameters:
///   - seed: the seed of the run.
///   - positions: the index of each image in the run's image sequence, [B].
///   - images: the images that the noise is for, [B, H, W, C].
/// - Returns: a tensor with the shape of `images`.
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
