import Autodiff
import TensorCore
import Testing

/// A parameter of the oracle, in the order of its `named_parameters()`, shaped as in PyTorch.
package struct OracleParameter: Decodable {
  /// Its name in PyTorch.
  package let name: String
  /// Its shape in PyTorch.
  package let shape: [Int]

  /// From a list of name and shape.
  package init(from decoder: any Decoder) throws {
    var list = try decoder.unkeyedContainer()
    name = try list.decode(String.self)
    shape = try list.decode([Int].self)
  }

  /// The values that `parameter` of `train_golden.py` draws for the parameter at `index`.
  fileprivate func values(seed: UInt64, index: Int) -> [Float] {
    let stream = RandomStream(seed: seed, .test, substream: 1 + index, position: 0)
    let count = shape.reduce(1, *)
    let scale = 1 / Double(count / shape[0]).squareRoot()
    let isSmall = name.hasSuffix(".table") || name.hasSuffix(".bias")
    return (0..<count).map {
      let normal = stream.normal($0)
      return Float(isSmall ? 0.02 * normal : shape.count >= 2 ? normal * scale : 1 + 0.1 * normal)
    }
  }
}

extension ParameterSet {
  /// Sets every weight to what the oracle's recipe draws for it.
  package func drawAsOracle(_ recorded: [OracleParameter], seed: UInt64) throws {
    let byName = Dictionary(uniqueKeysWithValues: parameters.map { ($0.name, $0) })
    #expect(byName.count == recorded.count)
    for (index, entry) in recorded.enumerated() {
      let parameter = try #require(byName[entry.name], "\(entry.name)")
      let memory = parameter.layout.toMemory(
        entry.values(seed: seed, index: index), shape: entry.shape)
      parameter.value.copy(from: Tensor(memory, parameter.shape, on: parameter.value.context))
    }
  }
}
