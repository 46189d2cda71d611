import Autodiff
import Diffusion
import TensorCore

/// The network behind its formulation, with labels and guidance bound: what a sampler needs.
package struct NetworkDenoiser: Denoiser {
  let model: DenoisingModel
  /// One an image; nil: an unconditional network.
  let labels: [Int]?
  let guidance: Guidance

  package init(_ model: DenoisingModel, labels: [Int]?, guidance: Guidance = Guidance()) {
    (self.model, self.labels, self.guidance) = (model, labels, guidance)
  }

  package func denoise(_ x: Tensor, sigma: Double) -> Tensor { guess(x, sigma).clean }

  private func guess(_ x: Tensor, _ sigma: Double) -> NetworkGuess {
    var conditional = guess(x, sigma, labels: labels)
    guard let labels, guidance.applies(at: sigma) else { return conditional }
    let unconditional = guess(x, sigma, labels: labels.map { _ in nil }).clean
    func scaled(_ x: Tensor, by factor: Double, plus other: Tensor? = nil) -> Tensor {
      let factors = [Float](repeating: Float(factor), count: x.shape[0])
      return scale(Variable(x), by: factors, plus: other).value
    }
    conditional.clean = scaled(
      conditional.clean, by: guidance.scale, plus: scaled(unconditional, by: 1 - guidance.scale))
    return conditional
  }

  private func guess(_ x: Tensor, _ sigma: Double, labels: [Int?]?) -> NetworkGuess {
    model.formulation.guess(x, sigma: [Double](repeating: sigma, count: x.shape[0])) {
      model.network($0, time: $1, labels: labels, augment: nil)
    }
  }
}
