import Diffusion

extension DrawingOptions {
  /// The sampler that the options name.
  package var method: any Diffusion.Sampler {
    switch sampler {
    case .heun: HeunSampler(churn: .init(churn))
    case .euler: HeunSampler(corrects: false, churn: .init(churn))
    case .ddpm: AncestralSampler()
    case .ddim: DDIMSampler(eta: eta)
    case .dpmPlusPlus: DPMSolverPlusPlus()
    }
  }

  var guidanceValue: Guidance {
    guard let guidanceInterval else { return Guidance(scale: guidance) }
    return Guidance(scale: guidance, interval: guidanceInterval)
  }
}
