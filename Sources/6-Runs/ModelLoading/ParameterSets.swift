import Autodiff
import Checkpoints
import Configuration
import DiffiTModels
import Optimization

/// A set of parameters that a run trains; declaring it takes no memory.
package struct DeclaredSet {
  /// The beginning of its parameters' names in checkpoints, `discriminator.`; empty for the first
  /// set.
  package let prefix: String
  /// The parameters, by name.
  package let parameters: ParameterSet
  /// The weights that a matrix optimiser may update.
  package let hiddenMatrices: [HiddenMatrix]

  /// A set without such weights, where nothing else is said.
  package init(prefix: String, parameters: ParameterSet, hiddenMatrices: [HiddenMatrix] = []) {
    (self.prefix, self.parameters) = (prefix, parameters)
    self.hiddenMatrices = hiddenMatrices
  }
}

extension DeclaredSet {
  /// The weights that Muon may update, in the order of the flat weights; valid after the set is
  /// sealed.
  package var matrices: [MatrixParameter] {
    hiddenMatrices.map { MatrixParameter($0.parameter.range, rows: $0.rows, parts: $0.parts) }
      .sorted { $0.range.lowerBound < $1.range.lowerBound }
  }
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
    declaredSets.table
  }

  /// The parameters of the model itself, without those that only training needs beside it: what
  /// exports hold, and what `--init` reads.
  package var modelTable: ParameterTable { declaredSets[0].parameters.table }

  private var declaredSets: [DeclaredSet] {
    model.kind == .vae ? AutoencoderModel(self).sets : DenoisingModel(self).sets
  }
}
