import Operators
import TensorCore

/// The record of one forward pass, and the reverse pass over it.
///
/// Operators on variables append a node with a closure that turns the gradient of the node's value into
/// gradients of its inputs. The closure holds what backward needs and nothing else; `backward` drops it
/// as soon as it has run, so activations are freed as the pass goes.
///
/// A tape belongs to one thread.
public final class Tape {
  /// Seed and positions of the images, where dropout is on.
  public let dropout: DropoutSource?

  /// Called once for each parameter in a reverse pass, when nothing more will be added to its gradient.
  public var onGradientReady: ((Parameter) -> Void)?

  /// Called after each operation of a reverse pass.
  public var betweenOperations: (() -> Void)?

  typealias Backward = (_ gradient: Tensor, _ into: Gradients) -> Void
  private var nodes: [Backward?] = []
  /// By parameter, of any set: nodes that have yet to add to its gradient.
  private var uses: [ObjectIdentifier: Int] = [:]

  private var isSpent = false
  /// False: values are computed as in training, dropout included, and nothing is remembered.
  let records: Bool

  public convenience init(dropout: DropoutSource? = nil) {
    self.init(dropout: dropout, records: true)
  }

  init(dropout: DropoutSource?, records: Bool) {
    (self.dropout, self.records) = (dropout, records)
  }

  /// A variable to differentiate with respect to.
  public func variable(_ value: Tensor) -> Variable { append(value, nil) }

  /// A constant of this forward pass: parameters used beside it are recorded, it is not.
  public func constant(_ value: Tensor) -> Variable {
    Variable(value: value, tape: self, node: nil, parameter: nil)
  }

  /// A parameter as a variable. Each call counts as one use.
  func variable(_ parameter: Parameter) -> Variable {
    if records { uses[ObjectIdentifier(parameter), default: 0] += 1 }
    return Variable(value: parameter.value, tape: self, node: nil, parameter: parameter)
  }

  func append(_ value: Tensor, _ backward: Backward?) -> Variable {
    nodes.append(backward)
    return Variable(value: value, tape: self, node: nodes.count - 1, parameter: nil)
  }

  /// Runs the reverse pass from `root`, and frees the tape as it goes.
  ///
  /// - Parameter seed: gradient of `root`; 1 for a scalar.
  public func backward(from root: Variable, seed: Tensor? = nil) {
    _ = run(from: root, seed: seed, wanted: [], writesParameters: true, keepGraph: false)
  }

  /// Gradients of `root` at chosen variables, in their order; nil where `root` does not depend on one.
  /// Parameters are left alone. With `keepGraph` the tape can be run again.
  public func gradients(
    of root: Variable, at variables: [Variable], seed: Tensor? = nil, keepGraph: Bool = true
  ) -> [Tensor?] {
    let wanted = variables.compactMap(\.slot.node)
    let found = run(
      from: root, seed: seed, wanted: Set(wanted), writesParameters: false, keepGraph: keepGraph)
    return variables.map { $0.slot.node.flatMap { found[$0] } }
  }

  /// Runs the reverse pass as part of another tape's, and returns the gradients at chosen variables.
  ///
  /// - Parameter writesParameters: whether the other pass writes those of parameters.
  func backward(
    from root: Variable, seed: Tensor, at variables: [Variable], writesParameters: Bool
  ) -> [Tensor?] {
    let found = run(
      from: root, seed: seed, wanted: Set(variables.compactMap(\.slot.node)),
      writesParameters: writesParameters, keepGraph: false)
    return variables.map { $0.slot.node.flatMap { found[$0] } }
  }

  /// - Parameters:
  ///   - wanted: nodes whose gradients are returned.
  ///   - writesParameters: whether those of parameters are written, in place.
  private func run(
    from root: Variable, seed: Tensor?, wanted: Set<Int>, writesParameters: Bool, keepGraph: Bool
  ) -> [Int: Tensor] {
    guard let last = root.slot.node, root.tape === self else {
      fatalError("backward: the root was not recorded on this tape")
    }
    invariant(!isSpent, "backward: this tape has been run, which freed it")
    isSpent = !keepGraph
    invariant(
      seed != nil || root.value.count == 1,
      "backward: a root of shape \(root.value.shape) needs a seed")
    let gradients = Gradients(on: root.value.context, writesParameters: writesParameters) {
      [weak self] parameter in
      self?.finishUse(of: parameter)
    }
    gradients.values[last] = seed ?? Tensor([1], root.value.shape, on: root.value.context)
    var found: [Int: Tensor] = [:]
    for node in stride(from: last, through: 0, by: -1) {
      let gradient = gradients.values.removeValue(forKey: node)
      if wanted.contains(node) { found[node] = gradient }
      if let gradient, let backward = nodes[node] { backward(gradient, gradients) }
      if !keepGraph { nodes[node] = nil }
      betweenOperations?()
    }
    return found
  }

  private func finishUse(of parameter: Parameter) {
    let left = uses[ObjectIdentifier(parameter), default: 0] - 1
    uses[ObjectIdentifier(parameter)] = left
    if left == 0 { onGradientReady?(parameter) }
  }
}

/// What dropout needs to know of a forward pass in training.
public struct DropoutSource: Sendable {
  public let seed: UInt64
  /// Each image's place in the run's image sequence, [B].
  public let positions: [UInt64]

  public init(seed: UInt64, positions: [UInt64]) { (self.seed, self.positions) = (seed, positions) }
}

/// Gradients on their way down the tape.
final class Gradients {
  fileprivate var values: [Int: Tensor] = [:]
  private let context: ComputeContext
  let writesParameters: Bool
  private let finishUse: (Parameter) -> Void

  fileprivate init(
    on context: ComputeContext, writesParameters: Bool, finishUse: @escaping (Parameter) -> Void
  ) {
    self.context = context
    self.writesParameters = writesParameters
    self.finishUse = finishUse
  }

  /// Adds to the gradient of an input. `make` runs only where the gradient is wanted.
  func add(to input: Slot, _ make: () -> Tensor) {
    if input.parameter != nil {
      write(to: input) { into, accumulate in
        let gradient = make()
        into.copy(from: accumulate ? sum(into, gradient) : gradient)
      }
    } else if let node = input.node {
      accumulate(make(), at: node, of: input)
    }
  }

  /// What was added so far, taken out: for an operator that adds it where it stores, and gives the sum
  /// to `add`.
  func take(_ input: Slot) -> Tensor? {
    input.node.flatMap { values.removeValue(forKey: $0) }
  }

  /// Lets an operator write, or add, straight into the gradient of an input: a parameter's range of
  /// the flat gradient, else a new tensor.
  func write(to input: Slot, _ body: (_ into: Tensor, _ accumulate: Bool) -> Void) {
    if let parameter = input.parameter {
      guard writesParameters else { return }
      body(parameter.gradient, parameter.hasGradient)
      parameter.hasGradient = true
      finishUse(parameter)
    } else if let node = input.node {
      let fresh = Tensor(input.shape, on: context)
      body(fresh, false)
      accumulate(fresh, at: node, of: input)
    }
  }

  private func accumulate(_ gradient: Tensor, at node: Int, of input: Slot) {
    invariant(
      gradient.shape == input.shape && gradient.dtype == input.dtype,
      "backward: a gradient \(gradient.shape) \(gradient.dtype) for a value \(input.shape)"
        + " \(input.dtype)")
    values[node] = values[node].map { sum($0, gradient) } ?? gradient
  }
}
