import TensorCore

/// Runs part of a network without saving its activations; backward runs it again. Other names are
/// activation checkpointing and rematerialisation.
///
/// `body` must depend only on its inputs and on parameters that no other part uses. Its results
/// have the same bits both times, because dropout masks are functions of positions. Backward saves
/// the inputs. Without a tape `body` just runs.
///
/// Source: Chen et al., arXiv:1604.06174.
///
/// - Parameters:
///   - inputs: the variables that `body` depends on.
///   - body: the part of the network.
public func recomputed(
  _ inputs: [Variable], _ body: @escaping ([Variable]) -> Variable
) -> Variable {
  guard let tape = tape(of: inputs), tape.records else { return body(inputs) }
  let silent = Tape(dropout: tape.dropout, records: false)
  // Variables do not retain their tape.
  let value = withExtendedLifetime(silent) {
    body(inputs.map { silent.constant($0.value) }).value
  }
  let slots = inputs.map(\.slot)
  let values = inputs.map(\.value)
  return tape.append(value) { [unowned tape] dy, gradients in
    let again = Tape(dropout: tape.dropout)
    again.onGradientReady = tape.onGradientReady
    again.betweenOperations = tape.betweenOperations
    let variables = values.map { again.variable($0) }
    let found = again.backward(
      from: body(variables), seed: dy, at: variables,
      writesParameters: gradients.writesParameters)
    for (slot, gradient) in zip(slots, found) {
      if let gradient { gradients.add(to: slot) { gradient } }
    }
  }
}
