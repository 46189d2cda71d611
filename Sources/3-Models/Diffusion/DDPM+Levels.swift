import TensorCore

/// Timesteps and noise levels.
extension DDPM {
  /// The noise level of a timestep on the samplers' scale, sqrt((1 - alpha-bar) / alpha-bar).
  public func sigma(timestep: Int) -> Double {
    check(timestep)
    return sigmas[timestep]
  }

  /// The timestep of a noise level, in 0...T - 1: the inverse of `sigma(timestep:)`. It is exact at
  /// the timesteps, linear in ln sigma between them, and the nearest timestep beyond both ends.
  public func timestep(sigma: Double) -> Double {
    invariant(sigma >= 0, "DDPM.timestep: sigma \(sigma)")
    if sigma <= sigmas[0] { return 0 }
    if sigma >= sigmas[steps - 1] { return Double(steps - 1) }
    var (low, high) = (0, steps - 1)  // sigmas[low] <= sigma < sigmas[high]
    while high - low > 1 {
      let middle = (low + high) / 2
      if sigmas[middle] <= sigma { low = middle } else { high = middle }
    }
    let width = logSigmas[high] - logSigmas[low]
    return Double(low) + (PortableMath.log(sigma) - logSigmas[low]) / width
  }

  /// `count` timesteps from 0 to T - 1, rising, as evenly spaced as whole numbers can be; only T -
  /// 1 if the count is 1.
  ///
  /// Positions are summed up and rounded half to even, as in the code of Nichol and Dhariwal
  /// (arXiv:2102.09672, section 4), so that the same timesteps result.
  public func respaced(_ count: Int) -> [Int] {
    invariant(count >= 1 && count <= steps, "DDPM.respaced: \(count) of \(steps) timesteps")
    if count == 1 { return [steps - 1] }
    let stride = Double(steps - 1) / Double(count - 1)
    var position = 0.0
    return (0..<count).map { _ in
      defer { position += stride }
      return Int(position.rounded(.toNearestOrEven))
    }
  }

  /// The noise levels of `respaced(count)`, falling, then 0: `count` sampling steps. The first
  /// state is x_{T-1} ~ N(0, 1), as in Algorithm 2 of arXiv:2006.11239.
  public func levels(respaced count: Int) -> NoiseLevels {
    let levels = respaced(count).reversed().map { sigmas[$0] }
    return NoiseLevels(levels + [0], first: (1 + levels[0] * levels[0]).squareRoot())
  }

  /// Ends the program if there is no such timestep.
  func check(_ timestep: Int) {
    invariant(timestep >= 0 && timestep < steps, "DDPM: timestep \(timestep) of \(steps)")
  }
}
