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

  /// A constant: nothing is differentiated with respect to it.
  public init(_ value: Tensor) {
    (self.value, tape, slot) = (value, nil, Slot(node: nil, parameter: nil, shape: value.shape))
  }

  init(value: Tensor, tape: Tape, node: Int?, parameter: Parameter?) {
    (self.value, self.tape) = (value, tape)
    slot = Slot(node: node, parameter: parameter, shape: value.shape)
  }

  public var shape: Shape { value.shape }
}

/// Where the gradient of a variable goes. A backward closure that does not need an input's value holds
/// its slot alone, so that the value can be freed.
struct Slot {
  let node: Int?
  let parameter: Parameter?
  let shape: Shape
}

/// The value of an operator, recorded on the tape of its inputs where one of them has a tape.
func record(
  _ value: Tensor, of inputs: Variable?..., backward: @escaping Tape.Backward
) -> Variable {
  guard let tape = inputs.lazy.compactMap({ $0?.tape }).first else { return Variable(value) }
  return tape.append(value, backward)
}
