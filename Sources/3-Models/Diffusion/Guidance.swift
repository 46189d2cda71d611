import TensorCore

/// Classifier-free guidance, D = D_u + w (D_c - D_u), at noise levels within an interval. Elsewhere
/// only the conditional prediction D_c is used, which costs one network call instead of two.
///
/// D is affine in the predicted noise, so guiding one is the same as guiding the other.
///
/// Source: Ho and Salimans, arXiv:2207.12598; the interval is that of Kynkäänniemi et al.,
/// arXiv:2404.07724, eq. (5).
///
/// ```swift
/// import Diffusion
///
/// let guidance = Guidance(scale: 1.5, interval: 0.2...5)
/// print(guidance.applies(at: 1), guidance.applies(at: 80))  // true false
/// ```
public struct Guidance: Sendable, Hashable {
  /// How the weight w depends on time.
  public enum Schedule: Sendable, Hashable {
    /// w = scale.
    case constant
    /// w(t) = 1 + (scale - 1) (1 - cos(pi (1 - t / T)^power)) / 2: 1 (no guidance) in pure noise,
    /// the whole scale at the end. Source: Gao et al., arXiv:2303.14389, and DiffiT's authors, with
    /// power 4.
    case powerCosine(power: Double = 4)
  }

  /// The weight w, or with a schedule its final value; 1 means no guidance.
  public var scale: Double
  /// The noise levels that are guided, as standard deviations on images in [-1, 1]; both ends are
  /// included.
  public var interval: ClosedRange<Double>
  /// How the weight depends on time.
  public var schedule: Schedule
  /// How many channels, counted from the first, are guided. The others keep the conditional
  /// prediction. Nil for all.
  public var guidedChannels: Int?

  /// Guidance with these settings; by default none.
  public init(
    scale: Double = 1, interval: ClosedRange<Double> = 0...(.infinity),
    schedule: Schedule = .constant, guidedChannels: Int? = nil
  ) {
    invariant(guidedChannels ?? 1 >= 1, "Guidance: \(guidedChannels ?? 0) guided channels")
    if case .powerCosine(let power) = schedule {
      invariant(power > 0, "Guidance: power \(power)")
    }
    (self.scale, self.interval) = (scale, interval)
    (self.schedule, self.guidedChannels) = (schedule, guidedChannels)
  }

  /// Whether the unconditional prediction is needed at this noise level.
  public func applies(at sigma: Double) -> Bool { scale != 1 && interval.contains(sigma) }

  /// w at a timestep in 0...T of a process with T = `steps` timesteps; the papers have T = 1,000.
  public func weight(timestep t: Double, of steps: Int) -> Double {
    switch schedule {
    case .constant: return scale
    case .powerCosine(let power):
      invariant(
        t >= 0 && t <= Double(steps), "Guidance: timestep \(t) of \(steps)")
      let left = 1 - t / Double(steps)
      let turns = left > 0 ? PortableMath.pow(left, power) / 2 : 0
      return 1 + (scale - 1) * (1 - PortableMath.sinCosOfTurns(turns).cos) / 2
    }
  }

  /// D_u + w (D_c - D_u) in the guided channels and D_c in the others: [B, H, W, C].
  public func combine(conditional: Tensor, unconditional: Tensor, weight: Double) -> Tensor {
    let (shape, context) = (conditional.shape, conditional.context)
    let guided = guidedChannels ?? shape.channels
    invariant(
      unconditional.shape == shape && guided <= shape.channels,
      "Guidance: \(guided) channels of \(shape) and \(unconditional.shape)")
    let result = Tensor(shape, on: context)
    withFloats(conditional, unconditional, result) { conditional, unconditional, result in
      context.threads.forRanges(of: shape.rows, grain: 1024) { rows in
        for row in rows {
          for channel in 0..<shape.channels {
            let at = row * shape.channels + channel
            let (c, u) = (Double(conditional[at]), Double(unconditional[at]))
            result[at] = channel < guided ? Float(u + weight * (c - u)) : conditional[at]
          }
        }
      }
    }
    return result
  }
}
