import TensorCore

/// Generates images: it solves a diffusion process backwards, from noise level t_0 to 0.
///
/// The state is f64; the denoiser sees f32. An image depends only on its own noise, not on the
/// other images of its batch or on the number of threads.
///
/// ```swift
/// import Diffusion
/// import TensorCore
///
/// /// Two samplers with about the same number of network calls.
/// func compare(_ denoiser: some Denoiser, on context: ComputeContext) -> [Tensor] {
///   let samplers: [any Sampler] = [HeunSampler(), DDIMSampler()]
///   return zip(samplers, [18, 35]).map { sampler, steps in
///     sampler.sample(
///       seeds: [0, 1, 2, 3], over: .edm(steps: steps), image: [32, 32, 3], with: denoiser,
///       on: context)
///   }
/// }
/// ```
public protocol Sampler: Sendable {
  /// The weak order of convergence p. Before the last step, which leads to 0 and is the denoiser's
  /// prediction, expectations of smooth functions of the state have an error of O(N^-p) for N steps
  /// of a fixed schedule. For a sampler that adds no noise, each image has an error of that order
  /// from the exact solution of the probability flow.
  var order: Int { get }

  /// The number of network calls of `steps` steps; by default one per step.
  func calls(steps: Int) -> Int

  /// Images [B, H, W, C] from noise.
  ///
  /// - Parameters:
  ///   - noise: the source of all random numbers.
  ///   - levels: the noise levels to visit.
  ///   - image: the shape of an image, [H, W, C].
  ///   - denoiser: predicts clean images.
  ///   - context: what the sampler computes on.
  ///   - observe: called in each step, right after its first network call.
  func sample(
    from noise: some SampleNoise, over levels: NoiseLevels, image: Shape,
    with denoiser: some Denoiser, on context: ComputeContext, observe: ((SamplerStep) -> Void)?
  ) -> Tensor
}

/// What a step of a sampler starts from.
public struct SamplerStep: Sendable {
  /// The index of the step, in 0..<N.
  public let index: Int
  /// The noise level of `noisy`; higher than the schedule's if the step has first added noise.
  public let sigma: Double
  /// The state as the network saw it, [B, H, W, C].
  public let noisy: Tensor
  /// The network's prediction of the clean images, [B, H, W, C].
  public let denoised: Tensor
}

extension Sampler {
  /// One network call per step.
  public func calls(steps: Int) -> Int { steps }

  /// Images [B, H, W, C] from noise, without an observer.
  public func sample(
    from noise: some SampleNoise, over levels: NoiseLevels, image: Shape,
    with denoiser: some Denoiser, on context: ComputeContext
  ) -> Tensor {
    sample(
      from: noise, over: levels, image: image, with: denoiser, on: context, observe: nil)
  }

  /// Images [B, H, W, C], one per seed.
  ///
  /// - Parameters:
  ///   - seeds: one per image.
  ///   - levels: the noise levels to visit.
  ///   - image: the shape of an image, [H, W, C].
  ///   - denoiser: predicts clean images.
  ///   - context: what the sampler computes on.
  ///   - observe: called in each step, right after its first network call.
  public func sample(
    seeds: [UInt64], over levels: NoiseLevels, image: Shape, with denoiser: some Denoiser,
    on context: ComputeContext, observe: ((SamplerStep) -> Void)? = nil
  ) -> Tensor {
    sample(
      from: SeededNoise(seeds), over: levels, image: image, with: denoiser, on: context,
      observe: observe)
  }
}
