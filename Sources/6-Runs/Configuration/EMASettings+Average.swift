import Optimization
import TensorCore

extension ExponentialAverage {
  /// The average that an entry of `ema` describes.
  package init(_ settings: EMASettings, of weights: Tensor, owned: OptimizerPartition) {
    if settings.length > 0 {
      let profile = PowerFunctionProfile(length: settings.length)
      self.init(name: settings.name, profile: profile, of: weights, owned: owned)
    } else {
      self.init(
        name: settings.name, halfLife: Double(settings.halfLife), rampup: settings.rampup,
        of: weights, owned: owned)
    }
  }
}
