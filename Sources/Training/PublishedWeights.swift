import Autodiff
import Checkpoints
import DiffiTModels
import NeuralNetworks
import TensorCore

extension Configuration {
  /// What published weights of this network call differently, and carry beside its parameters: DiffiT's
  /// authors keep the index of the relative positions and, for latents, the table of positions, `pos_embed`.
  var publishedTensors: ForeignTensors {
    var foreign = ForeignTensors(relativePositionsIn: Plan.table(self))
    if let latent = networkSettings as? LatentDiffiT.Settings {
      let table = positionTable(side: latent.grid, width: latent.width, on: Engine())
      foreign.constants["pos_embed"] = .floats(table.floats, tolerance: 1e-6)
    }
    return foreign
  }
}
