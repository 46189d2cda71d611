import Autodiff
import Checkpoints
import Configuration
import DiffiTModels
import NeuralNetworks
import TensorCore

extension Configuration {
  /// What published weights of this network call differently, and carry beside its parameters: DiffiT's
  /// authors keep the index of the relative positions and, for latents, the table of positions, `pos_embed`.
  package var publishedTensors: StateDictAdapter {
    var foreign = StateDictAdapter(relativePositionsIn: self.parameterTable)
    if let latent = networkSettings as? LatentDiffiT.Settings {
      let table = positionTable(side: latent.grid, width: latent.width, on: ComputeContext())
      foreign.constants["pos_embed"] = .floats(table.floats, tolerance: 1e-6)
    }
    return foreign
  }
}
