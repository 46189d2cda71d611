import NumericsSupport
import Operators
import TensorCore
import Testing

@Suite struct NormTests {
  /// Groups of 1, of odd width, of one channel; rows past the kernels' block of 64.
  static let shapes = [(6, 12, 3), (9, 5, 1), (4, 33, 11), (70, 32, 8), (1, 7, 7), (25, 128, 32)]

  static var cases: [PlainGroupNorm] {
    shapes.flatMap { rows, channels, groups in
      [false, true].map {
        PlainGroupNorm(images: 2, rows: rows, channels: channels, groups: groups, swish: $0)
      }
    }
  }

  @Test(arguments: Setup.all)
  func groupNorm(_ setup: Setup) {
    let context = setup.context
    for c in Self.cases where c.rows * c.channels > c.groups {
      let count = c.images * c.rows * c.channels
      let x = values(count, 1, scale: 3).map { $0 + 2 }
      let (gamma, beta) = (values(c.channels, 2).map { $0 + 1 }, values(c.channels, 3))
      let dy = values(count, 4)
      let shape: Shape = [c.images, c.rows, 1, c.channels]
      let (tx, ty) = (Tensor(x, shape, on: context), Tensor(dy, shape, on: context))
      let (tg, tb) = (
        Tensor(gamma, [c.channels], on: context), Tensor(beta, [c.channels], on: context)
      )
      let (y, statistics) = GroupNormOperator.forward(
        tx, gamma: tg, beta: tb, groups: c.groups, epsilon: 1e-6, swish: c.swish)
      let forward = c.forward(x.wide, gamma: gamma.wide, beta: beta.wide)
      #expect(relativeError(y, forward) < 3e-6, "\(c)")
      let (dx, shares) = GroupNormOperator.gradient(
        ty, x: tx, gamma: tg, beta: tb, statistics: statistics, groups: c.groups, swish: c.swish)
      let expected = c.gradients(dy.wide, x: x.wide, gamma: gamma.wide, beta: beta.wide)
      #expect(relativeError(dx, expected.dx) < 5e-6, "\(c)")
      checkAccumulation([c.channels], expected.dgamma, on: context, "\(c) gamma") {
        GroupNormOperator.parameterGradient(shares, row: 1, into: $0, accumulate: $1)
      }
      checkAccumulation([c.channels], expected.dbeta, on: context, "\(c) beta") {
        GroupNormOperator.parameterGradient(shares, row: 0, into: $0, accumulate: $1)
      }
    }
  }

  @Test(arguments: Setup.all)
  func layerNorm(_ setup: Setup) {
    let context = setup.context
    for (rows, channels) in [(1, 4), (5, 3), (17, 16), (40, 33), (3, 200)] {
      let x = values(rows * channels, 1, scale: 2).map { $0 - 1 }
      let dy = values(rows * channels, 2)
      let (y, inverse) = LayerNormOperator.forward(
        Tensor(x, [rows, channels], on: context), epsilon: 1e-6)
      #expect(
        relativeError(y, Plain.layerNorm(x.wide, channels: channels, epsilon: 1e-6)) < 2e-6,
        "\(rows) \(channels)")
      let dx = LayerNormOperator.gradient(
        Tensor(dy, [rows, channels], on: context), y: y, inverseDeviation: inverse)
      let expected = Plain.layerNormGradient(
        dy.wide, x: x.wide, channels: channels, epsilon: 1e-6)
      #expect(relativeError(dx, expected) < 5e-6, "\(rows) \(channels)")
    }
  }

  /// A large mean must not eat the variance (two passes, not E[x^2] - E[x]^2).
  @Test(arguments: Setup.all)
  func largeMean(_ setup: Setup) {
    let context = setup.context
    let x = values(64 * 16, 1).map { ($0 * 512).rounded() / 512 + 500 }  // exact in f32
    let c = PlainGroupNorm(images: 1, rows: 64, channels: 16, groups: 4, swish: false)
    let (ones, zeros) = ([Float](repeating: 1, count: 16), [Float](repeating: 0, count: 16))
    let (y, _) = GroupNormOperator.forward(
      Tensor(x, [1, 8, 8, 16], on: context), gamma: Tensor(ones, [16], on: context),
      beta: Tensor(zeros, [16], on: context), groups: 4, epsilon: 1e-6, swish: false)
    #expect(
      relativeError(y, c.forward(x.wide, gamma: ones.wide, beta: zeros.wide)) < 2e-4)
    let (z, _) = LayerNormOperator.forward(Tensor(x, [64, 16], on: context), epsilon: 1e-6)
    #expect(relativeError(z, Plain.layerNorm(x.wide, channels: 16, epsilon: 1e-6)) < 2e-4)
  }

  /// Constant input: variance 0 gives beta, not NaN. The gain is folded as gamma x / 1e-3, so beta is
  /// only as exact as that.
  @Test(arguments: Setup.levels)
  func constantInput(_ level: KernelTable.Level) {
    let context = Setup(level, threads: 1).context
    let x = Tensor(zeros: [1, 2, 2, 6], on: context)
    x.fill(3)
    let beta = values(6, 1)
    let (y, _) = GroupNormOperator.forward(
      x, gamma: Tensor(values(6, 2), [6], on: context), beta: Tensor(beta, [6], on: context),
      groups: 2, epsilon: 1e-6, swish: false)
    #expect(relativeError(y, (0..<4).flatMap { _ in beta.wide }) < 1e-3)
    #expect(LayerNormOperator.forward(x, epsilon: 1e-6).y.floats.allSatisfy { $0 == 0 })
  }
}
