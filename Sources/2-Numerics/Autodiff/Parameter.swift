import Operators
import TensorCore

/// A trained tensor: a named range of its set's flat ranges.
public final class Parameter {
  /// The checkpoint key, as in the PyTorch oracle.
  public let name: String
  /// Shape in memory.
  public let shape: Shape
  public let layout: TensorLayout
  public let initializer: Initializer
  /// Place in the order of declaration, which is the order of the forward pass.
  public let index: Int
  /// First element in the flat ranges; known once the set is sealed.
  public internal(set) var offset = 0
  /// Whether this step has written the gradient already; false: its contents are stale.
  public internal(set) var hasGradient = false
  private unowned let owner: ParameterSet
  /// Its panels, while the weights are held.
  var panels: PackedWeights? { owner.heldPanels?[index] }

  init(
    name: String, shape: Shape, layout: TensorLayout, initializer: Initializer, index: Int,
    owner: ParameterSet
  ) {
    (self.name, self.shape, self.layout) = (name, shape, layout)
    (self.initializer, self.index, self.owner) = (initializer, index, owner)
  }

  public var count: Int { shape.count }
  /// Its elements of the flat ranges.
  public var range: Range<Int> { offset..<offset + count }
  /// A view of the set's weights.
  public var value: Tensor { owner.weights.view(at: offset, shape) }
  /// A view of the set's gradients.
  public var gradient: Tensor { owner.gradients.view(at: offset, shape) }

  /// This parameter as an operand beside `x`: on the tape of `x`, where it has one.
  public func beside(_ x: Variable) -> Variable {
    x.tape?.variable(self) ?? Variable(value)
  }
}

/// How a parameter starts.
public enum Initializer: Sendable, Equatable {
  case zeros
  case ones
  /// Uniform in ±sqrt(6 / (fan in + fan out)) of the weight seen as [first file axis, rest].
  case xavierUniform
  /// Uniform in ±sqrt(1 / fan in) of the weight seen as [first file axis, rest]: PyTorch's own start.
  case fanInUniform
  /// Normal with this standard deviation, cut at ±2 as PyTorch's `trunc_normal_`.
  case normal(deviation: Double)
}
