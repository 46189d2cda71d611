import Operators
import TensorCore

/// A value and, in training, its place on a tape.
///
/// Without a tape an operator computes its value and records nothing, so sampling runs the same
/// model code as training.
///
/// ```swift
/// import Autodiff
/// import TensorCore
///
/// let context = ComputeContext()
/// let x = Variable(Tensor([-1, 0, 1], [3], on: context))  // no tape: only the value
/// print(silu(x).value.floats)
/// ```
public struct Variable {
  /// The computed value.
  public let value: Tensor
  /// The tape that the variable is recorded on; nil without one. It is not retained, because
  /// closures on the tape hold variables.
  public unowned let tape: Tape?
  let slot: Slot
  /// The packed weights of a constant.
  private let panels: PackedWeights?

  /// A constant without a tape: it has no gradient.
  ///
  /// - Parameters:
  ///   - value: its value.
  ///   - panels: where products keep the packed form of a weight that never changes.
  public init(_ value: Tensor, keptIn panels: PackedWeights? = nil) {
    (self.value, tape, slot) = (value, nil, Slot(node: nil, parameter: nil, value: value))
    self.panels = panels
  }

  init(value: Tensor, tape: Tape, node: Int?, parameter: Parameter?) {
    (self.value, self.tape, panels) = (value, tape, nil)
    slot = Slot(node: node, parameter: parameter, value: value)
  }

  /// The shape of the value.
  public var shape: Shape { value.shape }

  /// This variable as the weight of a product, with the packed weights that may be used again.
  var weight: Weight { Weight(value, keptIn: panels ?? slot.parameter?.panels) }
}

/// Where the gradient of a variable goes. A backward closure that does not need the value of an
/// input holds only its slot, so that the value can be freed.
struct Slot {
  let node: Int?
  let parameter: Parameter?
  let shape: Shape
  let dtype: DType

  init(node: Int?, parameter: Parameter?, value: Tensor) {
    (self.node, self.parameter) = (node, parameter)
    (shape, dtype) = (value.shape, value.dtype)
  }
}

/// The tape of the first input that has one.
func tape(of inputs: [Variable?]) -> Tape? { inputs.lazy.compactMap { $0?.tape }.first }

/// The value of an operator, recorded on the tape of its inputs if one of them has a tape.
func record(
  _ value: Tensor, of inputs: Variable?..., backward: @escaping Tape.Backward
) -> Variable {
  guard let tape = tape(of: inputs) else { return Variable(value) }
  return tape.records ? tape.append(value, backward) : tape.constant(value)
}
