import Autodiff
import NumericsSupport
import TensorCore

/// Checks an operator on variables: its value against the plain f64 one, and its gradients with respect
/// to all inputs against central differences of the plain one.
///
/// - Parameters:
///   - inputs: values and shapes of the inputs.
///   - plain: the operator in f64.
///   - taped: the operator on variables.
/// - Returns: the largest relative errors of the value and of any input's gradient.
func check(
  _ inputs: [(values: [Float], shape: Shape)],
  on context: ComputeContext = try! ComputeContext(threadCount: 2),
  plain: ([[Double]]) -> [Double], taped: (Tape, [Variable]) -> Variable
) -> (value: Double, gradients: [Double]) {
  let tape = Tape(dropout: DropoutSource(seed: 3, positions: [4, 5]))
  let variables = inputs.map { tape.variable(Tensor($0.values, $0.shape, on: context)) }
  let y = taped(tape, variables)
  let seed = values(y.value.count, 1000)  // the scalar is the sum of seed y
  let gradients = tape.gradients(
    of: y, at: variables, seed: Tensor(seed, y.shape, on: context))

  let wide = inputs.map(\.values.wide)
  func scalar(_ inputs: [[Double]]) -> Double {
    zip(seed, plain(inputs)).reduce(0) { $0 + Double($1.0) * $1.1 }
  }
  let errors = inputs.indices.map { index in
    let h = 1e-5
    let differences = wide[index].indices.map { element in
      var (up, down) = (wide, wide)
      up[index][element] += h
      down[index][element] -= h
      return (scalar(up) - scalar(down)) / (2 * h)
    }
    guard let gradient = gradients[index] else { return Double.infinity }
    return relativeError(gradient, differences)
  }
  return (relativeError(y.value, plain(wide)), errors)
}
