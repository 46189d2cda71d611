import Diffusion
import ModelLoading
import TensorCore

/// The network behind its formulation, with labels and guidance bound: what a sampler needs.
package struct NetworkDenoiser: VarianceDenoiser {
  package let model: DenoisingModel
  /// One an image; nil: an unconditional network.
  package let labels: [Int]?
  package let guidance: Guidance

  package init(_ model: DenoisingModel, labels: [Int]?, guidance: Guidance = Guidance()) {
    (self.model, self.labels, self.guidance) = (model, labels, guidance)
  }

  package func denoiseWithVariance(
    _ x: Tensor, sigma: Double
  ) -> (clean: Tensor, v: Tensor?) {
    let conditional = prediction(x, sigma, labels: labels)
    guard let labels, guidance.applies(at: sigma) else {
      return (conditional.clean, conditional.variance)
    }
    let unconditional = prediction(x, sigma, labels: labels.map { _ in nil })
    let clean = guidance.combine(
      conditional: conditional.clean, unconditional: unconditional.clean, weight: weight(sigma))
    return (clean, conditional.variance)
  }

  private func weight(_ sigma: Double) -> Double {
    guard let (time, steps) = model.formulation.timesteps(at: sigma) else {
      return guidance.scale  // a schedule needs timesteps, which options make sure of
    }
    return guidance.weight(timestep: time, of: steps)
  }

  private func prediction(_ x: Tensor, _ sigma: Double, labels: [Int?]?) -> Prediction {
    model.formulation.prediction(x, sigma: [Double](repeating: sigma, count: x.shape[0])) {
      model.network($0, time: $1, labels: labels, augment: nil)
    }
  }
}
