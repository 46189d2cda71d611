import Autodiff
import DiffiTModels
import Diffusion
import TensorCore

/// The network behind EDM's preconditioning, with labels and guidance bound: what a sampler needs.
package struct NetworkDenoiser: Denoiser {
  let model: ImageDiffiT
  let edm: EDM
  /// One an image; nil: an unconditional network.
  let labels: [Int]?
  let guidance: Guidance

  package init(model: ImageDiffiT, edm: EDM, labels: [Int]?, guidance: Guidance = Guidance()) {
    (self.model, self.edm, self.labels, self.guidance) = (model, edm, labels, guidance)
  }

  package func denoise(_ x: Tensor, sigma: Double) -> Tensor {
    let conditional = denoise(x, sigma, labels: labels)
    guard let labels, guidance.applies(at: sigma) else { return conditional }
    let unconditional = denoise(x, sigma, labels: labels.map { _ in nil })
    func scaled(_ x: Tensor, by factor: Double, plus other: Tensor? = nil) -> Tensor {
      let factors = [Float](repeating: Float(factor), count: x.shape[0])
      return scale(Variable(x), by: factors, plus: other).value
    }
    return scaled(
      conditional, by: guidance.scale, plus: scaled(unconditional, by: 1 - guidance.scale))
  }

  private func denoise(_ x: Tensor, _ sigma: Double, labels: [Int?]?) -> Tensor {
    edm.denoise(x, sigma: [Double](repeating: sigma, count: x.shape[0])) { x, cNoise in
      model(x, cNoise: cNoise, labels: labels)
    }.value
  }
}
