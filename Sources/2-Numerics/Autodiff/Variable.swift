import Operators
import TensorCore

/// A value and, while training, its place on a tape.
///
/// Without a tape an operator computes its value and remembers nothing: sampling runs the same model
/// code as training.
public struct Variable {
  public let value: Tensor
  // Not retained: closures on the tape hold variables.
  public unowned let tape: Tape?
  let slot: Slot
  /// Those of a constant.
  private let panels: PackedWeights?

  /// A constant: nothing is differentiated with respect to it.
  ///
  /// - Parameter panels: where products keep what they read of a weight that never changes.
  public init(_ value: Tensor, keptIn panels: PackedWeights? = nil) {
    (self.value, tape, slot) = (value, nil, Slot(node: nil, parameter: nil, value: value))
    self.panels = panels
  }

  init(value: Tensor, tape: Tape, node: Int?, parameter: Parameter?) {
    (self.value, self.tape, panels) = (value, tape, nil)
    slot = Slot(node: node, parameter: parameter, value: value)
  }

  public var shape: Shape { value.shape }

  /// As the weight of a product; a parameter's panels are kept while its set says that they hold.
  var weight: Weight { Weight(value, keptIn: panels ?? slot.parameter?.panels) }
}

/// Where the gradient of a variable goes. A backward closure that does not need an input's value holds
/// its slot alone, so that the value can be freed.
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

/// The value of an operator, recorded on the tape of its inputs where one of them has a tape.
func record(
  _ value: Tensor, of inputs: Variable?..., backward: @escaping Tape.Backward
) -> Variable {
  guard let tape = tape(of: inputs) else { return Variable(value) }
  return tape.records ? tape.append(value, backward) : tape.constant(value)
}
