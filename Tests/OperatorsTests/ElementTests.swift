import NumericsSupport
import Operators
import TensorCore
import Testing

@Suite struct ElementTests {
  static let counts = [1, 7, 16, 33, 4096 + 5, 3 * 4096 + 1]

  @Test(arguments: Setup.all)
  func activations(_ setup: Setup) {
    let context = setup.context
    for count in Self.counts {
      let (x, dy) = (values(count, 1, scale: 8), values(count, 2))
      let (tx, ty) = (Tensor(x, [count], on: context), Tensor(dy, [count], on: context))
      let silu = ActivationOperator.silu
      #expect(relativeError(silu.forward(tx), x.wide.map(Plain.silu)) < 5e-7)
      #expect(
        relativeError(
          silu.gradient(ty, x: tx), zip(x.wide, dy.wide).map { Plain.siluSlope($0) * $1 }) < 2e-6)
      let gelu = ActivationOperator.gelu
      #expect(relativeError(gelu.forward(tx), x.wide.map(Plain.gelu)) < 5e-7)
      #expect(
        relativeError(
          gelu.gradient(ty, x: tx), zip(x.wide, dy.wide).map { Plain.geluSlope($0) * $1 }) < 2e-6)
    }
  }

  @Test(arguments: Setup.all, [Float(0.2), 0])
  func rectifiers(_ setup: Setup, _ slope: Float) {
    let context = setup.context
    for count in Self.counts {
      var (x, dy) = (values(count, 1), values(count, 2))
      x[count / 2] = 0
      let y = LeakyReLUOperator.forward(Tensor(x, [count], on: context), slope: slope)
      #expect(y.floats == x.map { $0 > 0 ? $0 : slope * $0 })
      let dx = LeakyReLUOperator.gradient(Tensor(dy, [count], on: context), y: y, slope: slope)
      #expect(dx.floats == zip(x, dy).map { $0 > 0 ? $1 : slope * $1 })
      dy[0] = .nan
      x[0] = .nan
      #expect(
        LeakyReLUOperator.forward(Tensor(x, [count], on: context), slope: slope).floats[0].isNaN)
    }
  }

  /// Where the exponential leaves the range of f32 the activations are x or next to 0.
  @Test(arguments: Setup.levels)
  func activationTails(_ level: KernelTable.Level) {
    let context = Setup(level, threads: 1).context
    let x = Tensor([-1e6, -200, -90, 90, 200, 1e6], [6], on: context)
    for kind in [ActivationOperator.silu, .gelu] {
      let y = kind.forward(x).floats
      #expect(y[0...2].allSatisfy { abs($0) < 1e-30 })
      #expect(Array(y[3...]) == [90, 200, 1e6])
      let one = Tensor([Float](repeating: 1, count: 6), [6], on: context)
      let slope = kind.gradient(one, x: x).floats
      #expect(slope[0...2].allSatisfy { abs($0) < 1e-20 })
      #expect(slope[3...].allSatisfy { $0 == 1 })
    }
  }

  /// Near zero errors are relative to the value itself.
  @Test(arguments: Setup.levels)
  func activationsNearZero(_ level: KernelTable.Level) {
    let context = Setup(level, threads: 1).context
    let x = values(64, 5, scale: 1e-3)
    let tensor = Tensor(x, [64], on: context)
    for (kind, plain) in [(ActivationOperator.silu, Plain.silu), (.gelu, Plain.gelu)] {
      for (y, x) in zip(kind.forward(tensor).floats, x.wide) {
        #expect(abs(Double(y) - plain(x)) <= 5e-7 * abs(plain(x)))
      }
    }
  }

  @Test(arguments: Setup.all)
  func sums(_ setup: Setup) {
    let context = setup.context
    for count in Self.counts {
      let (a, b) = (values(2 * count, 1), values(2 * count, 2))
      let (ta, tb) = (Tensor(a, [2, count], on: context), Tensor(b, [2, count], on: context))
      #expect(sum(ta, tb).floats == zip(a, b).map { $0 + $1 })
      let factors: [Float] = [0.7, -3]
      let products = a.indices.map { factors[$0 / count] * a[$0] }
      #expect(scaled(ta, by: factors).floats == products)
      let expected = zip(products.indices, b.wide).map {
        Double(factors[$0 / count]) * Double(a[$0]) + $1
      }
      #expect(relativeError(scaled(ta, by: factors, plus: tb), expected) < 1e-7)
    }
  }

  @Test(arguments: Setup.all)
  func concatenation(_ setup: Setup) {
    let context = setup.context
    for (rows, first, second) in [(1, 1, 1), (5, 3, 4), (200, 16, 33)] {
      let (a, b) = (values(rows * first, 1), values(rows * second, 2))
      let y = concatenated(
        Tensor(a, [rows, first], on: context), Tensor(b, [rows, second], on: context))
      #expect(y.shape == [rows, first + second])
      var expected: [Float] = []
      for row in 0..<rows {
        expected += a[row * first..<(row + 1) * first]
        expected += b[row * second..<(row + 1) * second]
      }
      #expect(y.floats == expected)
      #expect(channels(0..<first, of: y).floats == a)
      #expect(channels(first..<first + second, of: y).floats == b)
    }
  }

  @Test(arguments: Setup.all)
  func squaredError(_ setup: Setup) {
    let context = setup.context
    for inner in [1, 30, 3072, 9001] {
      let (x, y) = (values(3 * inner, 1), values(3 * inner, 2))
      let weights = [0.5, 100, 0]
      let (terms, gradient) = SquaredErrorOperator.forward(
        Tensor(x, [3, inner], on: context), target: Tensor(y, [3, inner], on: context),
        weights: weights)
      let errors = zip(x.wide, y.wide).map { $0 - $1 }
      for image in 0..<3 {
        let squares = errors[image * inner..<(image + 1) * inner].reduce(0) { $0 + $1 * $1 }
        let expected = weights[image] * squares / Double(inner)
        #expect(abs(terms[image] - expected) <= 1e-6 * expected)
      }
      let expected = errors.indices.map { 2 * weights[$0 / inner] / Double(inner) * errors[$0] }
      #expect(relativeError(gradient, expected) < 3e-7)
    }
  }
}
