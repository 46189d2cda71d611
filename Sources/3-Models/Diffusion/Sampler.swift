import TensorCore

/// Draws images: solves a diffusion process backwards in noise, from t_0 to 0.
///
/// State is f64; the denoiser sees f32. An image depends on its own noise alone, not on the others of
/// its batch nor on the number of threads.
public protocol Sampler: Sendable {
  /// Weak order of convergence p: before the last step, which leads to 0 and is the denoiser's prediction,
  /// expectations of smooth functions of the state are off by O(N^-p) for N steps of a fixed schedule
  /// rule. A sampler that adds no noise is off by as much from the exact solution of the probability
  /// flow, image by image.
  var order: Int { get }

  /// Network calls of `steps` steps; one each where a sampler says nothing else.
  func calls(steps: Int) -> Int

  /// Images [B, H, W, C] from noise.
  ///
  /// - Parameters:
  ///   - image: [H, W, C].
  ///   - observe: told of each step, right after its first network call.
  func sample(
    from noise: some SampleNoise, over levels: NoiseLevels, image: Shape,
    with denoiser: some Denoiser, on context: ComputeContext, observe: ((SamplerStep) -> Void)?
  ) -> Tensor
}

/// What a step of a sampler starts from.
public struct SamplerStep: Sendable {
  /// 0..<N.
  public let index: Int
  /// The noise level of `noisy`; above the schedule's where the step has added noise before.
  public let sigma: Double
  /// The state as the network saw it, and its prediction of the clean images, [B, H, W, C].
  public let noisy: Tensor
  public let denoised: Tensor
}

extension Sampler {
  public func calls(steps: Int) -> Int { steps }

  /// Images [B, H, W, C] from noise, unobserved.
  public func sample(
    from noise: some SampleNoise, over levels: NoiseLevels, image: Shape,
    with denoiser: some Denoiser, on context: ComputeContext
  ) -> Tensor {
    sample(
      from: noise, over: levels, image: image, with: denoiser, on: context, observe: nil)
  }

  /// Images [B, H, W, C], one a seed.
  public func sample(
    seeds: [UInt64], over levels: NoiseLevels, image: Shape, with denoiser: some Denoiser,
    on context: ComputeContext, observe: ((SamplerStep) -> Void)? = nil
  ) -> Tensor {
    sample(
      from: SeededNoise(seeds), over: levels, image: image, with: denoiser, on: context,
      observe: observe)
  }
}
