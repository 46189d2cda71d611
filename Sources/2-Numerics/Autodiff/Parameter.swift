import Operators
import TensorCore

/// A trained tensor: a named range of the flat weights and gradients of its `ParameterSet`.
///
/// ```swift
/// import Autodiff
/// import TensorCore
///
/// let set = ParameterSet()
/// let gain = set.root("norm").parameter("weight", [128], .ones)
/// set.seal()
/// set.allocate(on: ComputeContext(), gradients: true)
/// set.initialize(seed: 1)
/// print(gain.name, gain.value.shape, gain.range)  // norm.weight [128] 0..<128
/// ```
public final class Parameter {
  /// The key in checkpoints, which is also the name in PyTorch's state dictionary.
  public let name: String
  /// The shape in memory.
  public let shape: Shape
  /// How the shape in memory differs from that in files.
  public let layout: TensorLayout
  /// The distribution of the initial values.
  public let initializer: Initializer
  /// Position in the order of declaration, which is the order of the forward pass; from 0.
  public let index: Int
  /// Index of the first element in the flat tensors; valid after the set is sealed.
  public internal(set) var offset = 0
  /// Whether this step has already written the gradient. If not, its contents are stale.
  public internal(set) var hasGradient = false
  private unowned let owner: ParameterSet
  /// The packed weights that products keep while the weights do not change; nil outside
  /// `withPackedWeights`.
  var panels: PackedWeights? { owner.packedWeights?[index] }

  init(
    name: String, shape: Shape, layout: TensorLayout, initializer: Initializer, index: Int,
    owner: ParameterSet
  ) {
    (self.name, self.shape, self.layout) = (name, shape, layout)
    (self.initializer, self.index, self.owner) = (initializer, index, owner)
  }

  /// The number of elements.
  public var count: Int { shape.count }
  /// The parameter's elements in the flat tensors.
  public var range: Range<Int> { offset..<offset + count }
  /// The current values: a view of the set's weights.
  public var value: Tensor { owner.weights.view(at: offset, shape) }
  /// The gradient: a view of the set's gradients.
  public var gradient: Tensor { owner.gradients.view(at: offset, shape) }

  /// This parameter as an operand next to `x`: recorded on the tape of `x`, if that has one.
  public func beside(_ x: Variable) -> Variable {
    x.tape?.variable(self) ?? Variable(value)
  }
}

/// The distribution that a parameter's initial values are drawn from.
///
/// Fan-in and fan-out refer to the weight as a matrix [first axis in the file, all others].
public enum Initializer: Sendable, Equatable {
  /// All zero.
  case zeros
  /// All one.
  case ones
  /// Uniform in ±sqrt(6 / (fan in + fan out)), also called Glorot.
  case xavierUniform
  /// Uniform in ±sqrt(1 / fan in), which is the default of PyTorch's layers.
  case fanInUniform
  /// Normal with this standard deviation, cut off at ±2 as by PyTorch's `trunc_normal_`.
  case normal(deviation: Double)
}
