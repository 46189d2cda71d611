import Autodiff
import Configuration
import DiffiTModels
import Diffusion
import TensorCore

/// A denoising network and the diffusion formulation that it is trained in.
package struct DenoisingModel {
  /// Maps noisy images and noise levels to a prediction.
  package let network: any DenoisingNetwork
  /// How the network's output becomes a clean image: EDM or DDPM.
  package let formulation: any Formulation
  /// The learned weight of the loss over noise levels; nil: it has none.
  package let uncertainty: UncertaintyWeight?

  /// Declares the network that the configuration describes; no memory is taken yet.
  ///
  /// - Parameter recomputes: whether activations are computed again in the backward pass instead of
  ///   kept.
  package init(_ configuration: Configuration, recomputes: Bool = false) {
    network = configuration.networkSettings.network(
      precision: configuration.train.precision.dtype, recomputes: recomputes)
    formulation = configuration.diffusion.formulation
    uncertainty = configuration.diffusion.uncertainty ? UncertaintyWeight() : nil
  }

  /// Joins a network and a formulation.
  package init(network: any DenoisingNetwork, formulation: any Formulation) {
    (self.network, self.formulation, uncertainty) = (network, formulation, nil)
  }

  /// The sets of parameters that are trained: those of the network, and of the uncertainty where it
  /// is learned.
  package var sets: [DeclaredSet] {
    let first = DeclaredSet(
      prefix: "", parameters: parameters, hiddenMatrices: network.hiddenMatrices)
    guard let uncertainty else { return [first] }
    return [first, DeclaredSet(prefix: "uncertainty.", parameters: uncertainty.parameters)]
  }

  /// The network's parameters.
  package var parameters: ParameterSet { network.parameters }
  /// The number of classes that the network knows; 0: it is unconditional.
  package var classes: Int { network.settings.classes }
  /// [B, H, W, C] of a batch in the network's space, pixels or latents.
  package func imageShape(batch: Int) -> Shape { network.settings.imageShape(batch: batch) }
}
