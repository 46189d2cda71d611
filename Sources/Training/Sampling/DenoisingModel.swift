import Autodiff
import DiffiTModels
import Diffusion
import TensorCore

/// A network and the formulation it is trained in.
package struct DenoisingModel {
  package let network: any DenoisingNetwork
  let formulation: any Formulation

  /// Declares the network that the configuration describes; no memory is taken yet.
  init(_ configuration: Configuration, recomputes: Bool = false) {
    network = configuration.networkSettings.network(
      precision: configuration.train.precision.dtype, recomputes: recomputes)
    formulation = configuration.diffusion.formulation
  }

  package init(network: any DenoisingNetwork, formulation: any Formulation) {
    (self.network, self.formulation) = (network, formulation)
  }

  var parameters: ParameterSet { network.parameters }
  var classes: Int { network.settings.classes }
  func imageShape(batch: Int) -> Shape { network.settings.imageShape(batch: batch) }
}
