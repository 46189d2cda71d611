import NumericsSupport
import Optimization
import TensorCore
import Testing

/// Adam by its definition, in f64.
private struct PlainAdam {
  var betas = (0.9, 0.999), epsilon = 1e-8, decay = 0.0
  var m: [Double], v: [Double], t = 0

  init(count: Int) {
    m = [Double](repeating: 0, count: count)
    v = m
  }

  mutating func update(_ w: inout [Double], _ g: [Double], rate: Double) {
    t += 1
    var (power1, power2) = (1.0, 1.0)
    for _ in 0..<t { (power1, power2) = (power1 * betas.0, power2 * betas.1) }
    for i in w.indices {
      m[i] = betas.0 * m[i] + (1 - betas.0) * g[i]
      v[i] = betas.1 * v[i] + (1 - betas.1) * g[i] * g[i]
      let (mean, square) = (m[i] / (1 - power1), v[i] / (1 - power2))
      w[i] -= rate * decay * w[i]
      w[i] -= rate * mean / (square.squareRoot() + epsilon)
    }
  }
}

@Suite struct AdamTests {
  /// Not a multiple of any vector, and more than one thread's grain.
  static let count = 3 * 4096 + 13

  @Test(arguments: Setup.all, [0.0, 0.1])
  func twentySteps(_ setup: Setup, _ decay: Double) {
    let context = setup.context
    let count = Self.count
    let start = values(count, 1)
    let weights = Tensor(start, [count], on: context)
    var adam = Adam(
      owned: OptimizerPartition(all: count), betas: (0.9, 0.999), epsilon: 1e-8, weightDecay: decay,
      on: context)
    var plain = PlainAdam(count: count)
    plain.decay = decay
    var expected = start.wide
    for step in 0..<20 {
      // Gradients of very different sizes, changing sign.
      let g = values(count, 10 + step).enumerated().map { $0.element * Float($0.offset % 7 + 1) }
      let rate = 0.01 * Double(step % 3 + 1)
      adam.update(
        weights, gradients: Tensor(g, [count], on: context), learningRate: rate, factor: 1)
      plain.update(&expected, g.wide, rate: rate)
    }
    #expect(adam.updates == 20)
    let moves = zip(expected, start).map { $0 - Double($1) }
    let found = zip(weights.floats, start).map { $0 - $1 }
    // Betas are rounded to f32: 1 - 0.999 is 1.3e-5 off.
    #expect(relativeError(found, moves) < 2e-5)
    #expect(relativeError(adam.first, plain.m) < 1e-6)
    #expect(relativeError(adam.second, plain.v) < 2e-5)
  }

  /// The first step moves every weight by the learning rate, against its gradient's sign, whatever its
  /// size; a zero gradient moves nothing.
  @Test(arguments: Setup.levels)
  func firstStep(_ level: KernelTable.Level) {
    let context = Setup(level, threads: 1).context
    let g: [Float] = [1e-3, -5, 100, -1e-2, 0]
    let weights = Tensor(zeros: [5], on: context)
    var adam = Adam(
      owned: OptimizerPartition(all: 5), betas: (0.9, 0.999), epsilon: 1e-8, weightDecay: 0,
      on: context)
    adam.update(weights, gradients: Tensor(g, [5], on: context), learningRate: 0.25, factor: 1)
    let expected = g.map { $0 == 0 ? 0 : $0 > 0 ? -0.25 : 0.25 }
    #expect(relativeError(weights, expected) < 2e-5)
    #expect(weights.floats[4] == 0)
  }

  /// Epsilon stands outside the root: where the gradient equals it, the first step is half.
  @Test func epsilon() {
    let context = ComputeContext()
    let weights = Tensor(zeros: [1], on: context)
    var adam = Adam(
      owned: OptimizerPartition(all: 1), betas: (0.9, 0.999), epsilon: 1e-3, weightDecay: 0,
      on: context)
    adam.update(weights, gradients: Tensor([1e-3], [1], on: context), learningRate: 1, factor: 1)
    #expect(abs(weights.floats[0] + 0.5) < 1e-4)
  }

  /// Decay is decoupled: it shrinks weights by 1 - lr decay, whatever the gradient's size.
  @Test func decoupledDecay() {
    let context = ComputeContext()
    let weights = Tensor([2, -4], [2], on: context)
    var adam = Adam(
      owned: OptimizerPartition(all: 2), betas: (0.9, 0.999), epsilon: 1e-8, weightDecay: 0.5,
      on: context)
    adam.update(weights, gradients: Tensor(zeros: [2], on: context), learningRate: 0.1, factor: 1)
    #expect(relativeError(weights, [1.9, -3.8]) < 1e-7)
  }

  /// Clipping's factor multiplies the gradient before anything else; learning rate 0 leaves weights
  /// alone but not the moments.
  @Test func factorAndZeroRate() {
    let context = ComputeContext()
    let g = values(100, 2)
    func run(_ g: [Float], factor: Float, rate: Double) -> (Tensor, Adam) {
      let weights = Tensor(values(100, 1), [100], on: context)
      var adam = Adam(
        owned: OptimizerPartition(all: 100), betas: (0.9, 0.999), epsilon: 1e-8, weightDecay: 0.1,
        on: context)
      adam.update(
        weights, gradients: Tensor(g, [100], on: context), learningRate: rate, factor: factor)
      return (weights, adam)
    }
    let (clipped, scaled) = (
      run(g, factor: 0.25, rate: 1), run(g.map { $0 / 4 }, factor: 1, rate: 1)
    )
    #expect(clipped.0.bits == scaled.0.bits && clipped.1.second.bits == scaled.1.second.bits)
    let still = run(g, factor: 1, rate: 0)
    #expect(still.0.floats == values(100, 1))
    #expect(still.1.first.floats.contains { $0 != 0 } && still.1.updates == 1)
  }

  /// Ranges of the flat weights updated apart are the whole updated at once: what sharding relies on.
  @Test func rangesAreIndependent() {
    let context = try! ComputeContext(threadCount: 2)
    let count = 8192
    func run(_ ranges: [Range<Int>]) -> [UInt32] {
      let weights = Tensor(values(count, 1), [count], on: context)
      let gradients = Tensor(values(count, 2), [count], on: context)
      for range in ranges {
        var adam = Adam(
          owned: OptimizerPartition(all: range.count), betas: (0.9, 0.999), epsilon: 1e-8,
          weightDecay: 0.1, on: context)
        for _ in 0..<3 {
          adam.update(
            weights[range], gradients: gradients[range], learningRate: 0.1, factor: 0.5)
        }
      }
      return weights.bits
    }
    #expect(run([0..<4096, 4096..<count]) == run([0..<count]))
  }
}
