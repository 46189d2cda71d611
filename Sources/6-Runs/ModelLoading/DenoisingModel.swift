import Autodiff
import Configuration
import DiffiTModels
import Diffusion
import TensorCore

/// A network and the formulation it is trained in.
package struct DenoisingModel {
  package let network: any DenoisingNetwork
  package let formulation: any Formulation

  /// Declares the network that the configuration describes; no memory is taken yet.
  package init(_ configuration: Configuration, recomputes: Bool = false) {
    network = configuration.networkSettings.network(
      precision: configuration.train.precision.dtype, recomputes: recomputes)
    formulation = configuration.diffusion.formulation
  }

  package init(network: any DenoisingNetwork, formulation: any Formulation) {
    (self.network, self.formulation) = (network, formulation)
  }

  /// The sets of parameters that are trained.
  package var sets: [DeclaredSet] { [DeclaredSet(prefix: "", parameters: parameters)] }

  package var parameters: ParameterSet { network.parameters }
  package var classes: Int { network.settings.classes }
  package func imageShape(batch: Int) -> Shape { network.settings.imageShape(batch: batch) }
}
