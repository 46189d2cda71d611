import FileFormats
import TensorCore

/// How the file of another program, which contains the same network, differs: other names for
/// parameters, and tensors that are not parameters.
package struct StateDictAdapter: Sendable {
  /// The values that a tensor which is not a parameter must have, in row-major order and whatever
  /// extents of 1 it has.
  package enum Constant: Sendable {
    /// Integers, as a function of the element's index.
    case integers(count: Int, value: @Sendable (_ index: Int) -> Int)
    /// Floating-point numbers, each within `tolerance`.
    case floats([Float], tolerance: Float)

    /// The number of elements.
    package var count: Int {
      switch self {
      case .integers(let count, _): count
      case .floats(let values, _): values.count
      }
    }
  }

  /// The file's name of each parameter that has another name there.
  package var names: [String: String]
  /// The tensors that the file may contain besides the parameters, by name.
  package var constants: [String: Constant]

  /// An adapter with these differences; by default none.
  package init(names: [String: String] = [:], constants: [String: Constant] = [:]) {
    (self.names, self.constants) = (names, constants)
  }

  /// The names that the authors of DiffiT and of Swin (arXiv:2103.14030) use. A table of relative
  /// positions is `relative_position_bias_table` instead of `bias.table`, [(2w - 1)^2, heads].
  /// Beside it is `relative_position_index`, [w^2, w^2], the table's row for each query and key.
  package init(relativePositionsIn table: ParameterTable) {
    self.init()
    for entry in table.entries where entry.name.hasSuffix(".bias.table") && entry.shape.count == 2 {
      let scope = entry.name.dropLast("bias.table".count)
      names[entry.name] = "\(scope)relative_position_bias_table"
      guard let window = (1...4096).first(where: { (2 * $0 - 1) * (2 * $0 - 1) >= entry.shape[0] })
      else { continue }
      let (tokens, side) = (window * window, 2 * window - 1)
      constants["\(scope)relative_position_index"] = .integers(count: tokens * tokens) {
        let (query, key) = ($0 / tokens, $0 % tokens)
        let rows = query / window - key / window + window - 1
        return rows * side + query % window - key % window + window - 1
      }
    }
  }

  /// The name of a parameter in the file.
  package func name(of parameter: String, in file: SafetensorsFile, prefix: String) -> String {
    let own = prefix + parameter
    guard file[own] == nil, let other = names[parameter], file[prefix + other] != nil else {
      return own
    }
    return prefix + other
  }

  /// Throws if one of the file's constants has a wrong value.
  func checkConstants(in file: SafetensorsFile, prefix: String) throws {
    for (name, constant) in constants.sorted(by: { $0.key < $1.key }) {
      guard let entry = file[prefix + name] else { continue }
      guard entry.count == constant.count else {
        throw CheckpointError.constantShape(
          path: file.path, tensor: entry.name, found: entry.shape, expected: constant.count)
      }
      switch constant {
      case .integers(_, let value):
        let found = try file.integers(entry.name)
        if let at = found.indices.first(where: { found[$0] != value($0) }) {
          throw CheckpointError.constantValue(
            path: file.path, tensor: entry.name, index: at, found: Double(found[at]),
            expected: Double(value(at)))
        }
      case .floats(let values, let tolerance):
        let found = try file.floats(entry.name)
        // Written without `>`, so that NaN counts as different from everything.
        if let at = found.indices.first(where: {
          !((found[$0] - values[$0]).magnitude <= tolerance)
        }) {
          throw CheckpointError.constantValue(
            path: file.path, tensor: entry.name, index: at, found: Double(found[at]),
            expected: Double(values[at]))
        }
      }
    }
  }
}
