import Operators
import TensorCore

/// The record of one forward pass, and the reverse pass over it (reverse-mode automatic
/// differentiation).
///
/// Each operator on variables appends a node with a closure that turns the gradient of the node's
/// value into gradients of its inputs. The closure holds only what backward needs. `backward` drops
/// it as soon as it has run, so activations are freed on the way.
///
/// A tape belongs to one thread.
///
/// ```swift
/// import Autodiff
/// import TensorCore
///
/// let context = ComputeContext()
/// let tape = Tape()
/// let x = tape.variable(Tensor([1, 2, 3], [1, 3], on: context))
/// let target = Tensor(zeros: [1, 3], on: context)
/// let (loss, _) = squaredError(silu(x), target, weights: [1])
/// let gradient = tape.gradients(of: loss, at: [x])[0]
/// print(loss.value.floats, gradient?.floats ?? [])
/// ```
public final class Tape {
  /// The seed and the positions of the images if dropout is on; nil otherwise.
  public let dropout: DropoutSource?

  /// Called once per parameter in a reverse pass, as soon as its gradient is complete.
  /// Data-parallel training starts all-reducing the gradient there.
  public var onGradientReady: ((Parameter) -> Void)?

  /// Called after each operation of a reverse pass, for example to let messages advance.
  public var betweenOperations: (() -> Void)?

  typealias Backward = (_ gradient: Tensor, _ into: Gradients) -> Void
  private var nodes: [Backward?] = []
  /// For each parameter, of any set: how many nodes have yet to add to its gradient.
  private var uses: [ObjectIdentifier: Int] = [:]

  private var isSpent = false
  /// If false, values are computed as in training, dropout included, but nothing is saved.
  let records: Bool

  /// An empty tape. With `dropout`, the pass is one of training and dropout layers apply their
  /// masks.
  public convenience init(dropout: DropoutSource? = nil) {
    self.init(dropout: dropout, records: true)
  }

  init(dropout: DropoutSource?, records: Bool) {
    (self.dropout, self.records) = (dropout, records)
  }

  /// A new variable that gradients can be asked for.
  public func variable(_ value: Tensor) -> Variable { append(value, nil) }

  /// A constant of this forward pass: parameters used together with it are recorded, but the
  /// constant itself has no gradient.
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

  /// Runs the reverse pass from `root`, writes the gradients of all parameters, and frees the tape
  /// on the way.
  ///
  /// - Parameters:
  ///   - root: the result to differentiate, usually a loss.
  ///   - seed: the gradient of `root` itself; by default 1, which needs a scalar root.
  public func backward(from root: Variable, seed: Tensor? = nil) {
    _ = run(from: root, seed: seed, wanted: [], writesParameters: true, keepGraph: false)
  }

  /// Gradients of `root` with respect to chosen variables, in their order; nil if `root` does not
  /// depend on one. The gradients of parameters are not changed. With `keepGraph` the tape can be
  /// run again.
  public func gradients(
    of root: Variable, at variables: [Variable], seed: Tensor? = nil, keepGraph: Bool = true
  ) -> [Tensor?] {
    let wanted = variables.compactMap(\.slot.node)
    let found = run(
      from: root, seed: seed, wanted: Set(wanted), writesParameters: false, keepGraph: keepGraph)
    return variables.map { $0.slot.node.flatMap { found[$0] } }
  }

  /// Runs the reverse pass as part of the reverse pass of another tape, and returns the gradients
  /// at chosen variables.
  ///
  /// - Parameter writesParameters: whether the outer pass writes gradients of parameters.
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
  ///   - writesParameters: whether gradients of parameters are written, in place.
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

/// What a forward pass in training needs to make its dropout masks.
public struct DropoutSource: Sendable {
  /// The seed of the run.
  public let seed: UInt64
  /// The index of each image in the run's image sequence, [B].
  public let positions: [UInt64]

  /// Masks for the images at `positions`, [B], of a run.
  public init(seed: UInt64, positions: [UInt64]) { (self.seed, self.positions) = (seed, positions) }
}

/// The gradients that a reverse pass has computed so far and not yet used.
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

  /// Adds to the gradient of an input. `make` runs only if that gradient is needed.
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

  /// Removes and returns the sum so far, for an operator that adds it while it stores its result
  /// and passes the total to `add`.
  func take(_ input: Slot) -> Tensor? {
    input.node.flatMap { values.removeValue(forKey: $0) }
  }

  /// Lets an operator write, or add, directly into the gradient of an input: into the parameter's
  /// range of the flat gradients, or else into a new tensor.
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
