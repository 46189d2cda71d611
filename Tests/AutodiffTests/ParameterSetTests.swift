import Autodiff
import NumericsSupport
import TensorCore
import Testing

@Suite struct ParameterSetTests {
  /// Ragged sizes, every layout and initializer.
  private func make(on context: ComputeContext? = nil) -> ParameterSet {
    let set = ParameterSet()
    let root = set.root
    _ = root.parameter("first", [5], .ones)
    _ = root("a", 0).parameter("weight", [6, 8], .xavierUniform, layout: .linear)
    _ = root("a", 1).parameter("weight", [3, 3, 2, 7], .xavierUniform, layout: .convolution)
    _ = root("b").parameter("weight", [3, 3, 4, 5], .xavierUniform, layout: .transposedConvolution)
    _ = root("b").parameter("table", [49, 2], .normal(deviation: 0.02))
    _ = root.parameter("last", [1], .zeros)
    set.seal()
    if let context { set.allocate(on: context, gradients: true) }
    return set
  }

  @Test func namesOrderAndAlignment() {
    let set = make()
    #expect(
      set.parameters.map(\.name)
        == ["first", "a.0.weight", "a.1.weight", "b.weight", "b.table", "last"])
    #expect(set.flatOrder.map(\.name) == set.parameters.map(\.name).reversed())
    #expect(set.parameterCount == 5 + 48 + 126 + 180 + 98 + 1)
    var next = 0
    for parameter in set.flatOrder {
      #expect(parameter.offset % 16 == 0)
      #expect(parameter.offset >= next && parameter.offset < next + 16)
      next = parameter.range.upperBound
    }
    #expect(set.flatCount >= next && set.flatCount < next + 16 && set.flatCount % 16 == 0)
  }

  @Test func fileShapes() {
    let shapes = make().parameters.map { $0.layout.fileShape($0.shape) }
    #expect(shapes == [[5], [8, 6], [7, 2, 3, 3], [4, 5, 3, 3], [49, 2], [1]])
  }

  @Test func viewsShareTheFlatRanges() {
    let set = make(on: ComputeContext())
    for parameter in set.parameters {
      parameter.value.fill(Float(parameter.index + 1))
      parameter.gradient.fill(Float(-parameter.index - 1))
    }
    let (weights, gradients) = (set.weights.floats, set.gradients.floats)
    for parameter in set.parameters {
      #expect(weights[parameter.range].allSatisfy { $0 == Float(parameter.index + 1) })
      #expect(gradients[parameter.range].allSatisfy { $0 == Float(-parameter.index - 1) })
    }
    for gap in gaps(set) { #expect(weights[gap] == 0 && gradients[gap] == 0) }
  }

  private func gaps(_ set: ParameterSet) -> [Int] {
    (0..<set.flatCount).filter { i in !set.parameters.contains { $0.range.contains(i) } }
  }

  @Test func initialValues() {
    let set = make(on: ComputeContext())
    set.initialize(seed: 1)
    let weights = set.weights.floats
    let named = Dictionary(
      uniqueKeysWithValues: set.parameters.map { ($0.name, Array(weights[$0.range])) })
    #expect(named["first"] == [1, 1, 1, 1, 1])
    #expect(named["last"] == [0])
    // sqrt(6 / (first file axis + the rest))
    for (name, fans) in [
      ("a.0.weight", 8 + 6), ("a.1.weight", 7 + 2 * 9), ("b.weight", 4 + 5 * 9),
    ] {
      let bound = (6 / Float(fans)).squareRoot()
      let drawn = named[name] ?? []
      #expect(drawn.allSatisfy { abs($0) <= bound })
      #expect((drawn.max() ?? 0) > 0.85 * bound && (drawn.min() ?? 0) < -0.85 * bound)
      let mean = drawn.reduce(0, +) / Float(drawn.count)
      #expect(abs(mean) < 4 * bound / Float(3 * drawn.count).squareRoot())
    }
    let table = named["b.table"]?.wide ?? []
    let variance = table.reduce(0) { $0 + $1 * $1 } / Double(table.count)
    #expect(variance.squareRoot() > 0.016 && variance.squareRoot() < 0.024)
    for gap in gaps(set) { #expect(weights[gap] == 0) }
  }

  @Test func initialValuesDependOnTheSeedAlone() {
    func drawn(_ seed: UInt64, on context: ComputeContext) -> [UInt32] {
      let set = make(on: context)
      set.initialize(seed: seed)
      return set.weights.bits
    }
    let bits = drawn(5, on: ComputeContext())
    #expect(drawn(5, on: try! ComputeContext(threadCount: 3)) == bits)
    #expect(drawn(6, on: ComputeContext()) != bits)
  }

  @Test func otherWeightsForAWhile() throws {
    let context = ComputeContext()
    let set = make(on: context)
    set.initialize(seed: 1)
    let own = set.weights.bits
    let average = Tensor(zeros: [set.flatCount], on: context)
    average.fill(3)
    set.gradients.fill(2)
    let first = set.parameters[0]
    let seen = set.withWeights(average) {
      (first.value.floats, first.gradient.floats)
    }
    #expect(seen.0 == [3, 3, 3, 3, 3] && seen.1 == [2, 2, 2, 2, 2])
    #expect(set.weights.bits == own)
    struct Stop: Error {}
    #expect(throws: Stop.self) { try set.withWeights(average) { throw Stop() } }
    #expect(set.weights.bits == own)
  }

  @Test func dropoutLayersAreNumbered() {
    let scope = ParameterSet().root("block")
    #expect(
      [scope.dropoutLayer(), scope("inner").dropoutLayer(), scope.dropoutLayer()] == [0, 1, 2])
  }
}
