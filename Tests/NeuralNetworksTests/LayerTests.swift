import Autodiff
import NeuralNetworks
import NumericsSupport
import Operators
import TensorCore
import Testing

@Suite struct LayerTests {
  /// The largest divisor of the width that is at most min(32, width / 4).
  @Test(arguments: [
    (1, 1), (3, 1), (4, 1), (8, 2), (12, 3), (24, 6), (40, 10), (44, 11), (128, 32), (256, 32),
    (384, 32), (500, 25),
  ])
  func groups(_ channels: Int, _ groups: Int) {
    #expect(GroupNorm.groups(channels: channels) == groups)
  }

  @Test func positionalEmbeddingIsSinesThenCosines() {
    let rows = PositionalEmbedding.edm(
      [0, 1.5, -0.25], width: 8, period: 10000, on: ComputeContext()
    )
    .floats
    #expect(Array(rows[0..<8]) == [0, 0, 0, 0, 1, 1, 1, 1])
    // Frequencies 1, 10000^(-1/3), 10000^(-2/3), and exactly 1/10000.
    for (i, frequency) in [1, 0.046415888336127795, 0.0021544346900318843, 1e-4].enumerated() {
      for (row, x) in [(1, 1.5), (2, -0.25)] {
        let (sine, cosine) = PortableMath.sinCos(x * frequency)
        #expect(abs(Double(rows[8 * row + i]) - sine) < 1e-7)
        #expect(abs(Double(rows[8 * row + 4 + i]) - cosine) < 1e-7)
      }
    }
  }

  @Test func oneHotRows() {
    let rows = oneHot([2, nil, 0], classes: 3, value: 1.5, on: ComputeContext())
    #expect(rows.shape == [3, 3])
    #expect(rows.floats == [0, 0, 1.5, 0, 0, 0, 1.5, 0, 0])
  }

  /// Each layer is its operator on its own parameters.
  @Test func layersUseTheirParameters() {
    let (set, context) = (ParameterSet(), ComputeContext())
    let linear = Linear(set.root("linear"), in: 5, out: 4)
    let unbiased = Linear(set.root("unbiased"), in: 5, out: 4, bias: false)
    let point = PointwiseConvolution(set.root("point"), in: 5, out: 4)
    let up = Convolution(set.root("up"), in: 5, out: 4, .up)
    let norm = GroupNorm(set.root("norm"), channels: 5, swish: true)
    set.seal()
    set.allocate(on: context, gradients: false)
    set.weights.copy(from: Tensor(values(set.flatCount, 1), [set.flatCount], on: context))
    let input = values(2 * 3 * 2 * 5, 2)
    let x = Variable(Tensor(input, [2, 3, 2, 5], on: context))
    func wide(_ parameter: Parameter?) -> [Double] { parameter?.value.floats.wide ?? [] }

    let y = Plain.linear(
      input.wide, wide(linear.weight), wide(linear.bias), rows: 12, k: 5, n: 4)
    #expect(relativeError(linear(x).value, y) < 1e-6)
    #expect(unbiased.bias == nil)
    let z = Plain.linear(input.wide, wide(unbiased.weight), nil, rows: 12, k: 5, n: 4)
    #expect(relativeError(unbiased(x).value, z) < 1e-6)
    let p = Plain.linear(input.wide, wide(point.weight), wide(point.bias), rows: 12, k: 5, n: 4)
    let residual = linear(x)
    let q = zip(p, residual.value.floats.wide).map { $0 + $1 }
    #expect(relativeError(point(x, addedTo: residual).value, q) < 1e-6)
    let c = PlainConvolution(.up, images: 2, height: 3, width: 2, inputs: 5, outputs: 4)
    #expect(up(x).shape == [2, 6, 4, 4])
    #expect(
      relativeError(up(x).value, c.forward(input.wide, wide(up.weight), wide(up.bias))) < 1e-6)
    let g = PlainGroupNorm(images: 2, rows: 6, channels: 5, groups: 1, swish: true)
    let n = g.forward(input.wide, gamma: wide(norm.gain), beta: wide(norm.bias))
    #expect(relativeError(norm(x).value, n) < 2e-6)
  }
}
