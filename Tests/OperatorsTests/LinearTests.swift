import NumericsSupport
import Operators
import TensorCore
import Testing

@Suite struct LinearTests {
  /// Rows past a block of the kernels, widths past, at and below every vector.
  static let shapes = [
    (1, 1, 1), (3, 5, 7), (13, 3, 5), (7, 16, 33), (6, 33, 16), (65, 32, 48), (200, 9, 3),
    (11, 70, 100),
  ]

  @Test(arguments: Setup.all)
  func forward(_ setup: Setup) {
    let context = setup.context
    for (rows, k, n) in Self.shapes {
      let (x, w, b) = (values(rows * k, 1), values(k * n, 2), values(n, 3))
      for bias in [b, nil] {
        let y = LinearOperator.forward(
          Tensor(x, [rows, k], on: context), weight: Tensor(w, [k, n], on: context),
          bias: bias.map { Tensor($0, [n], on: context) })
        let expected = Plain.linear(x.wide, w.wide, bias?.wide, rows: rows, k: k, n: n)
        #expect(y.shape == [rows, n])
        #expect(relativeError(y, expected) < 2e-6, "\(rows) \(k) \(n)")
      }
    }
  }

  @Test(arguments: Setup.all)
  func gradients(_ setup: Setup) {
    let context = setup.context
    for (rows, k, n) in Self.shapes {
      let (x, w, dy) = (values(rows * k, 1), values(k * n, 2), values(rows * n, 4))
      let (tx, ty) = (Tensor(x, [rows, k], on: context), Tensor(dy, [rows, n], on: context))
      let expected = Plain.linearGradients(
        dy.wide, x: x.wide, w: w.wide, rows: rows, k: k, n: n)
      let dx = LinearOperator.inputGradient(ty, weight: Tensor(w, [k, n], on: context))
      #expect(relativeError(dx, expected.dx) < 2e-6, "\(rows) \(k) \(n)")
      checkAccumulation([k, n], expected.dw, on: context, "weight \(rows) \(k) \(n)") {
        LinearOperator.weightGradient(tx, ty, into: $0, accumulate: $1)
      }
      checkAccumulation([n], expected.db, on: context, "bias \(rows) \(k) \(n)") {
        LinearOperator.biasGradient(ty, into: $0, accumulate: $1)
      }
    }
  }

  @Test func pointwiseConvolution() {
    let context = ComputeContext()
    let (x, w) = (values(2 * 3 * 4 * 5, 1), values(5 * 6, 2))
    let y = LinearOperator.forward(
      Tensor(x, [2, 3, 4, 5], on: context), weight: Tensor(w, [1, 1, 5, 6], on: context), bias: nil)
    #expect(y.shape == [2, 3, 4, 6])
    #expect(
      relativeError(y, Plain.linear(x.wide, w.wide, nil, rows: 24, k: 5, n: 6)) < 1e-6)
  }
}

/// An operator that writes a gradient must overwrite what is stale and add to what is not.
func checkAccumulation(
  _ shape: Shape, _ expected: [Double], tolerance: Double = 5e-6, on context: ComputeContext,
  _ what: String, sourceLocation: SourceLocation = #_sourceLocation,
  _ write: (_ into: Tensor, _ accumulate: Bool) -> Void
) {
  let fresh = Tensor(shape, on: context)
  fresh.fill(.nan)
  write(fresh, false)
  #expect(
    relativeError(fresh, expected) < tolerance, "\(what), fresh", sourceLocation: sourceLocation)
  let old = values(shape.count, 99)
  let added = Tensor(old, shape, on: context)
  write(added, true)
  #expect(
    relativeError(added, zip(old, expected).map { Double($0) + $1 }) < tolerance, "\(what), added",
    sourceLocation: sourceLocation)
}
