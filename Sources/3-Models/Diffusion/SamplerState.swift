import TensorCore

/// The state of a batch on its way from noise to images: everything that samplers share besides
/// their equations.
struct SamplerState<Noise: SampleNoise, D: Denoiser> {
  /// [B, H, W, C], f64.
  var x: [Double]
  private let noise: Noise
  private let image: Shape
  private let denoiser: D
  private let context: ComputeContext
  private let observe: ((SamplerStep) -> Void)?

  /// Starts with x = n times `levels.first`, which is usually t_0.
  init(
    _ noise: Noise, _ levels: NoiseLevels, _ image: Shape, _ denoiser: D, _ context: ComputeContext,
    _ observe: ((SamplerStep) -> Void)?
  ) {
    invariant(image.rank == 3, "Sampler: image \(image)")
    (self.noise, self.image, self.denoiser) = (noise, image, denoiser)
    (self.context, self.observe) = (context, observe)
    x = noise.first(image.count)
    check(x.count, "first")
    let (n, first) = (x, levels.first)
    x = each { n[$0] * first }
  }

  /// D(x; sigma) of the state, reported to the observer as step `index`.
  func denoised(sigma: Double, step index: Int) -> [Float] {
    let noisy = tensor(x)
    return reported(index, sigma, noisy, prediction(noisy, sigma))
  }

  /// D(x; sigma) of the state, reported likewise, and v if the denoiser has learned a variance.
  func denoisedWithVariance(sigma: Double, step index: Int) -> (clean: [Float], v: [Float]?) {
    guard let denoiser = denoiser as? any VarianceDenoiser else {
      return (denoised(sigma: sigma, step: index), nil)
    }
    let noisy = tensor(x)
    let (prediction, v) = denoiser.denoiseWithVariance(noisy, sigma: sigma)
    check(prediction, like: noisy)
    if let v { check(v, like: noisy) }
    return (reported(index, sigma, noisy, prediction), v?.floats)
  }

  private func reported(
    _ index: Int, _ sigma: Double, _ noisy: Tensor, _ prediction: Tensor
  ) -> [Float] {
    observe?(SamplerStep(index: index, sigma: sigma, noisy: noisy, denoised: prediction))
    return prediction.floats
  }

  /// D(x; sigma) of another x, not reported.
  func denoised(_ x: [Double], sigma: Double) -> [Float] {
    prediction(tensor(x), sigma).floats
  }

  private func prediction(_ noisy: Tensor, _ sigma: Double) -> Tensor {
    let prediction = denoiser.denoise(noisy, sigma: sigma)
    check(prediction, like: noisy)
    return prediction
  }

  private func check(_ prediction: Tensor, like noisy: Tensor) {
    invariant(
      prediction.shape == noisy.shape,
      "Sampler: a prediction \(prediction.shape) for \(noisy.shape)")
  }

  /// The standard normals that `step` adds.
  func normals(step: Int) -> [Double] {
    let normals = noise.added(at: step, image.count)
    check(normals.count, "step \(step)'s")
    return normals
  }

  /// One value per element, computed by all threads. No element may depend on another one; that is
  /// why neither the threads nor the batch change an image.
  @inline(__always)
  func each(_ value: (_ element: Int) -> Double) -> [Double] {
    let count = noise.images * image.count
    return [Double](unsafeUninitializedCapacity: count) { to, initialized in
      context.threads.forRanges(of: count, grain: 4096) { for i in $0 { to[i] = value(i) } }
      initialized = count
    }
  }

  /// The state as images, [B, H, W, C], f32.
  var images: Tensor { tensor(x) }

  private func tensor(_ x: [Double]) -> Tensor {
    let tensor = Tensor(Shape([noise.images] + image.dimensions), on: context)
    tensor.withFloats { to in
      context.threads.forRanges(of: x.count, grain: 4096) { for i in $0 { to[i] = Float(x[i]) } }
    }
    return tensor
  }

  private func check(_ count: Int, _ name: String) {
    invariant(
      count == noise.images * image.count,
      "Sampler: \(count) values of \(name) noise for \(noise.images) images \(image)")
  }
}
