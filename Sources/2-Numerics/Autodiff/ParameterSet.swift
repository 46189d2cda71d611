import Operators
import TensorCore

/// All parameters of a network in one flat f32 tensor, and their gradients in another.
///
/// Layers declare parameters in the order of the forward pass; the flat order is the reverse, which
/// is the order in which backward finishes gradients. Each parameter starts at a multiple of 16
/// elements; the gaps stay zero. Nothing is allocated before `allocate`, so a network can be
/// described without taking its memory.
///
/// ```swift
/// import Autodiff
/// import NeuralNetworks
/// import TensorCore
///
/// let parameters = ParameterSet()
/// let layer = Linear(parameters.root("layer"), in: 8, out: 4)
/// parameters.seal()
/// parameters.allocate(on: ComputeContext(), gradients: true)
/// parameters.initialize(seed: 1)
/// print(parameters.parameterCount, layer.weight.name)  // 36 layer.weight
/// ```
public final class ParameterSet {
  /// The parameters in the order of their declaration.
  public private(set) var parameters: [Parameter] = []
  /// Elements of each flat tensor, gaps included; valid after the set is sealed.
  public private(set) var flatCount = 0
  private var storage: (weights: Tensor, gradients: Tensor?)?
  /// One entry per parameter while `withPackedWeights` runs; nil otherwise.
  private(set) var packedWeights: [PackedWeights]?
  private var dropoutLayers = 0
  private var isSealed = false

  static let alignment = 16

  /// An empty set.
  public init() {}

  /// Elements of all parameters, without the gaps.
  public var parameterCount: Int { parameters.reduce(0) { $0 + $1.count } }

  /// The parameters in the order of the flat tensors: the reverse of their declaration.
  public var flatOrder: [Parameter] { parameters.reversed() }

  /// For each parameter, in the order of declaration: its elements in the flat tensors with the gap
  /// behind it. Together they cover the flat tensors.
  public var paddedRanges: [Range<Int>] {
    parameters.map { parameter in
      let end = parameter.offset + parameter.count
      return parameter.offset..<(end + Self.alignment - 1) / Self.alignment * Self.alignment
    }
  }

  /// The scope of the network itself, with an empty prefix.
  public var root: ParameterScope { ParameterScope(set: self, prefix: "") }

  /// Ends the declaration and assigns each parameter its range.
  public func seal() {
    invariant(!isSealed, "ParameterSet: sealed twice")
    for parameter in parameters.reversed() {
      parameter.offset = flatCount
      flatCount += (parameter.count + Self.alignment - 1) / Self.alignment * Self.alignment
    }
    isSealed = true
  }

  /// Allocates the weights, set to zero, and with `gradients` (for training) also the gradients.
  public func allocate(on context: ComputeContext, gradients: Bool) {
    invariant(isSealed, "ParameterSet: allocate before seal")
    storage = (
      Tensor(zeros: [flatCount], on: context),
      gradients ? Tensor(zeros: [flatCount], on: context) : nil
    )
  }

  /// The flat weights, [flatCount], f32; valid after `allocate`.
  public var weights: Tensor {
    guard let storage else { fatalError("ParameterSet: weights before allocate") }
    return storage.weights
  }

  /// The flat gradients, [flatCount], f32; valid after `allocate` with gradients.
  public var gradients: Tensor {
    guard let gradients = storage?.gradients else {
      fatalError("ParameterSet: no gradients allocated")
    }
    return gradients
  }

  /// Declares the old gradients stale: the next reverse pass overwrites them, so they need not be
  /// zeroed first (PyTorch: `zero_grad`).
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

  /// Runs `body` with other weights in place, such as an exponential average, of `flatCount`
  /// elements.
  public func withWeights<R>(_ weights: Tensor, _ body: () throws -> R) rethrows -> R {
    invariant(
      weights.count == flatCount, "withWeights: \(weights.shape) for \(flatCount) elements")
    let saved = (storage, packedWeights)
    (storage, packedWeights) = ((weights, storage?.gradients), nil)
    defer { (storage, packedWeights) = saved }
    return try body()
  }

  /// Runs `body`, during which the weights must not change: products keep the packed weights that
  /// they make, and use them again.
  public func withPackedWeights<R>(_ body: () throws -> R) rethrows -> R {
    let saved = packedWeights
    packedWeights = saved ?? parameters.map { _ in PackedWeights() }
    defer { packedWeights = saved }
    return try body()
  }

  /// Fills the weights with their initial values, which depend only on the seed.
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

/// A node in the tree of parameter names, in which a layer declares its parameters. Names are
/// joined by dots, as in PyTorch's state dictionaries.
public struct ParameterScope {
  let set: ParameterSet
  let prefix: String

  /// The scope below this one with these names, such as `scope("blocks", 3, "mlp")`; numbers name
  /// the entries of a list.
  public func callAsFunction(_ name: Any...) -> ParameterScope {
    ParameterScope(set: set, prefix: name.reduce(prefix) { "\($0)\($1)." })
  }

  /// Declares a parameter of this scope; its full name must be unique in the set.
  ///
  /// - Parameters:
  ///   - name: the last part of its name.
  ///   - shape: its shape in memory.
  ///   - initializer: the distribution of its initial values.
  ///   - layout: how files store it.
  public func parameter(
    _ name: String, _ shape: Shape, _ initializer: Initializer, layout: TensorLayout = .plain
  ) -> Parameter {
    set.declare(prefix + name, shape, layout, initializer)
  }

  /// The number of the network's next dropout layer, which selects its random stream.
  public func dropoutLayer() -> Int { set.declareDropout() }
}
