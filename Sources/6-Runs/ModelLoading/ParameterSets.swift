import Autodiff
import Checkpoints
import Configuration

/// A set of parameters that a run trains; declaring it takes no memory.
package struct DeclaredSet {
  /// The beginning of its parameters' names in checkpoints, `discriminator.`; empty for the first
  /// set.
  package let prefix: String
  /// The parameters, by name.
  package let parameters: ParameterSet
}

extension [DeclaredSet] {
  /// The parameters as files know them, one set behind the other in the flat vectors.
  package var table: ParameterTable {
    var entries: [ParameterEntry] = []
    var start = 0
    for set in self {
      entries += set.parameters.flatOrder.map {
        ParameterEntry(
          name: set.prefix + $0.name, shape: $0.layout.fileShape($0.shape).dimensions,
          layout: $0.layout, offset: start + $0.offset)
      }
      start += set.parameters.flatCount
    }
    return ParameterTable(entries, flatCount: start)
  }
}

extension ParameterSet {
  /// The parameters as files know them: PyTorch's names and shapes, and their place in the flat
  /// ranges.
  package var table: ParameterTable { [DeclaredSet(prefix: "", parameters: self)].table }
}

extension Configuration {
  /// The parameters of the networks that the configuration describes, as files know them. Nothing
  /// is allocated.
  package var parameterTable: ParameterTable {
    let sets = model.kind == .vae ? AutoencoderModel(self).sets : DenoisingModel(self).sets
    return sets.table
  }
}
