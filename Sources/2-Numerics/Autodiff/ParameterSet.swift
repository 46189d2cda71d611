import Operators
import TensorCore

/// All parameters of a network in one flat f32 range, and their gradients in another.
///
/// The order is the reverse of the declaration, which follows the forward pass: the order in which
/// backward finishes gradients. Each parameter starts at a multiple of 16 elements; the gaps stay zero.
/// Nothing is allocated before `allocate`, so a network can be described without its memory.
public final class ParameterSet {
  public private(set) var parameters: [Parameter] = []
  /// Elements of each flat range, gaps included; known once sealed.
  public private(set) var flatCount = 0
  private var storage: (weights: Tensor, gradients: Tensor?)?
  /// One a parameter, while the weights are held.
  private(set) var heldPanels: [PackedWeights]?
  private var dropoutLayers = 0
  private var isSealed = false

  static let alignment = 16

  public init() {}

  /// Elements of all parameters, without the gaps.
  public var parameterCount: Int { parameters.reduce(0) { $0 + $1.count } }

  /// The parameters in the order of the flat ranges.
  public var flatOrder: [Parameter] { parameters.reversed() }

  /// By index: each parameter's elements with the gap behind it, so that together they cover the flat range.
  public var paddedRanges: [Range<Int>] {
    parameters.map { parameter in
      let end = parameter.offset + parameter.count
      return parameter.offset..<(end + Self.alignment - 1) / Self.alignment * Self.alignment
    }
  }

  public var root: ParameterScope { ParameterScope(set: self, prefix: "") }

  /// Ends the declaration and lays the ranges out.
  public func seal() {
    invariant(!isSealed, "ParameterSet: sealed twice")
    for parameter in parameters.reversed() {
      parameter.offset = flatCount
      flatCount += (parameter.count + Self.alignment - 1) / Self.alignment * Self.alignment
    }
    isSealed = true
  }

  /// Makes the weights, zero, and for training the gradients.
  public func allocate(on context: ComputeContext, gradients: Bool) {
    invariant(isSealed, "ParameterSet: allocate before seal")
    storage = (
      Tensor(zeros: [flatCount], on: context),
      gradients ? Tensor(zeros: [flatCount], on: context) : nil
    )
  }

  public var weights: Tensor {
    guard let storage else { fatalError("ParameterSet: weights before allocate") }
    return storage.weights
  }

  public var gradients: Tensor {
    guard let gradients = storage?.gradients else {
      fatalError("ParameterSet: no gradients allocated")
    }
    return gradients
  }

  /// Declares the old gradients stale: the next reverse pass overwrites them, without a pass that
  /// zeroes.
  public func beginStep() {
    for parameter in parameters { parameter.hasGradient = false }
  }

  /// Zeroes the gradients that no reverse pass of this step has written.
  public func zeroMissingGradients() {
    for parameter in parameters where !parameter.hasGradient {
      parameter.gradient.fill(0)
      parameter.hasGradient = true
    }
  }

  /// Runs `body` with other weights in place, such as an average.
  public func withWeights<R>(_ weights: Tensor, _ body: () throws -> R) rethrows -> R {
    invariant(
      weights.count == flatCount, "withWeights: \(weights.shape) for \(flatCount) elements")
    let saved = (storage, heldPanels)
    (storage, heldPanels) = ((weights, storage?.gradients), nil)
    defer { (storage, heldPanels) = saved }
    return try body()
  }

  /// Runs `body`, which does not change the weights: products keep the panels they make of them.
  public func withPackedWeights<R>(_ body: () throws -> R) rethrows -> R {
    let saved = heldPanels
    heldPanels = saved ?? parameters.map { _ in PackedWeights() }
    defer { heldPanels = saved }
    return try body()
  }

  /// Fills the weights with their initial values: a function of the seed alone.
  public func initialize(seed: UInt64) {
    guard weights.context.computes else { return }
    for parameter in parameters {
      let stream = RandomStream(
        seed: seed, .initialization, substream: parameter.index, position: 0)
      let count = parameter.count
      parameter.value.withFloats { values in
        switch parameter.initializer {
        case .zeros: values.update(repeating: 0, count: count)
        case .ones: values.update(repeating: 1, count: count)
        case .xavierUniform, .fanInUniform:
          let outputs = parameter.layout.fileShape(parameter.shape)[0]
          let fanIn = count / outputs
          let bound =
            parameter.initializer == .fanInUniform
            ? (1 / Double(fanIn)).squareRoot() : (6 / Double(outputs + fanIn)).squareRoot()
          for i in 0..<count { values[i] = Float((2 * stream.uniform(i) - 1) * bound) }
        case .normal(let deviation):
          stream.fillNormals(values, count: count)
          for i in 0..<count {
            values[i] = Float(min(max(Double(values[i]) * deviation, -2), 2))
          }
        }
      }
    }
  }

  fileprivate func declare(
    _ name: String, _ shape: Shape, _ layout: TensorLayout, _ initializer: Initializer
  ) -> Parameter {
    invariant(!isSealed, "ParameterSet: \(name) declared after seal")
    invariant(!parameters.contains { $0.name == name }, "ParameterSet: \(name) declared twice")
    let parameter = Parameter(
      name: name, shape: shape, layout: layout, initializer: initializer, index: parameters.count,
      owner: self)
    parameters.append(parameter)
    return parameter
  }

  fileprivate func declareDropout() -> Int {
    dropoutLayers += 1
    return dropoutLayers - 1
  }
}

/// A place in the tree of parameter names, where layers declare theirs.
public struct ParameterScope {
  let set: ParameterSet
  let prefix: String

  /// The scope `name` below this one; numbers name the entries of a list.
  public func callAsFunction(_ name: Any...) -> ParameterScope {
    ParameterScope(set: set, prefix: name.reduce(prefix) { "\($0)\($1)." })
  }

  public func parameter(
    _ name: String, _ shape: Shape, _ initializer: Initializer, layout: TensorLayout = .plain
  ) -> Parameter {
    set.declare(prefix + name, shape, layout, initializer)
  }

  /// Number of the next dropout of the network: its random stream.
  public func dropoutLayer() -> Int { set.declareDropout() }
}
