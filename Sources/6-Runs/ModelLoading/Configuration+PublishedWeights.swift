import Autodiff
import Checkpoints
import Configuration
import DiffiTModels
import NeuralNetworks
import TensorCore

extension Configuration {
  /// The differences between published weights of this network and its own parameters: other names,
  /// and tensors that are no parameters. DiffiT's authors keep the index of the relative positions
  /// and, for latent networks, the table of positions `pos_embed`.
  package var publishedTensors: StateDictAdapter {
    var foreign = StateDictAdapter(relativePositionsIn: self.parameterTable)
    if let latent = networkSettings as? LatentDiffiT.Settings {
      let table = positionTable(side: latent.grid, width: latent.width, on: ComputeContext())
      foreign.constants["pos_embed"] = .floats(table.floats, tolerance: 1e-6)
    }
    return foreign
  }
}
