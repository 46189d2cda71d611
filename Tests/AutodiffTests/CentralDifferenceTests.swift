import Autodiff
import NumericsSupport
import Operators
import TensorCore
import Testing

/// Every differentiable function against central differences, all inputs.
@Suite struct CentralDifferenceTests {
  private func expectClose(
    _ errors: (value: Double, gradients: [Double]),
    sourceLocation: SourceLocation = #_sourceLocation
  ) {
    #expect(errors.value < 3e-6, sourceLocation: sourceLocation)
    for (input, error) in errors.gradients.enumerated() {
      #expect(error < 5e-6, "input \(input)", sourceLocation: sourceLocation)
    }
  }

  @Test func linearLayer() {
    expectClose(
      check(
        [(values(2 * 3 * 5, 1), [2, 3, 5]), (values(5 * 7, 2), [5, 7]), (values(7, 3), [7])],
        plain: { Plain.linear($0[0], $0[1], $0[2], rows: 6, k: 5, n: 7) },
        taped: { linear($1[0], $1[1], $1[2]) }))
    expectClose(
      check(
        [(values(6 * 5, 1), [6, 5]), (values(5 * 7, 2), [5, 7])],
        plain: { Plain.linear($0[0], $0[1], nil, rows: 6, k: 5, n: 7) },
        taped: { linear($1[0], $1[1], nil) }))
  }

  @Test(arguments: ConvolutionOperator.Kind.allCases)
  func convolutionLayer(_ kind: ConvolutionOperator.Kind) {
    let c = PlainConvolution(kind, images: 2, height: 3, width: 4, inputs: 2, outputs: 3)
    expectClose(
      check(
        [
          (values(c.inputCount, 1), [2, 3, 4, 2]),
          (values(c.weightCount, 2), [c.side, c.side, 2, 3]),
          (values(3, 3), [3]),
        ],
        plain: { c.forward($0[0], $0[1], $0[2]) },
        taped: { convolution($1[0], $1[1], $1[2], kind) }))
  }

  @Test(arguments: [2, 3])
  func attention(_ window: Int) {
    let c = PlainAttention(
      images: 2, height: window, width: 2 * window, heads: 2, headDim: 3, window: window)
    expectClose(
      check(
        [
          (values(c.qkvCount, 1, scale: 2), [2, window, 2 * window, 18]),
          (values(c.shiftCount, 2), [2, 18]), (values(c.tableCount, 3), [c.offsets, 2]),
        ],
        plain: { c.forward($0[0], shift: $0[1], table: $0[2]) },
        taped: { windowAttention($1[0], plus: $1[1], bias: $1[2], heads: 2, window: window) }))
  }

  @Test(arguments: [false, true])
  func groupNormLayer(_ swish: Bool) {
    let c = PlainGroupNorm(
      images: 2, rows: 6, channels: 6, groups: 2, swish: swish, epsilon: 1e-3)
    expectClose(
      check(
        [
          (values(2 * 6 * 6, 1, scale: 2), [2, 2, 3, 6]), (values(6, 2).map { $0 + 1 }, [6]),
          (values(6, 3), [6]),
        ],
        plain: { c.forward($0[0], gamma: $0[1], beta: $0[2]) },
        taped: {
          groupNorm($1[0], gain: $1[1], bias: $1[2], groups: 2, epsilon: 1e-3, swish: swish)
        }))
  }

  @Test func layerNormLayer() {
    expectClose(
      check(
        [(values(5 * 7, 1, scale: 2), [5, 7])],
        plain: { Plain.layerNorm($0[0], channels: 7, epsilon: 1e-6) },
        taped: { layerNorm($1[0], epsilon: 1e-6) }))
  }

  @Test func activations() {
    let x = (values(37, 1, scale: 4), Shape([37]))
    expectClose(check([x], plain: { $0[0].map(Plain.silu) }, taped: { silu($1[0]) }))
    expectClose(check([x], plain: { $0[0].map(Plain.gelu) }, taped: { gelu($1[0]) }))
  }

  @Test func sumsAndConcatenation() {
    let a = (values(12, 1), Shape([4, 3]))
    expectClose(
      check(
        [a, (values(12, 2), [4, 3])], plain: { zip($0[0], $0[1]).map { $0 + $1 } },
        taped: { $1[0] + $1[1] }))
    func sideBySide(_ inputs: [[Double]]) -> [Double] {
      var y: [Double] = []
      for row in 0..<4 {
        y += inputs[0][3 * row..<3 * row + 3]
        y += inputs[1][2 * row..<2 * row + 2]
      }
      return y
    }
    expectClose(
      check(
        [a, (values(8, 2), [4, 2])], plain: sideBySide, taped: { concatenate($1[0], $1[1]) }))
  }

  @Test func scaling() {
    let addend = values(10, 2)
    let constant = addend.wide
    expectClose(
      check(
        [(values(10, 1), [2, 5])],
        plain: { inputs in
          inputs[0].indices.map { ($0 < 5 ? 0.5 : -3) * inputs[0][$0] + constant[$0] }
        },
        taped: {
          scale($1[0], by: [0.5, -3], plus: Tensor(addend, [2, 5], on: $1[0].value.context))
        }))
  }

  /// A constant of the test, found by dropping out ones.
  private func mask(_ count: Int, on context: ComputeContext) -> [Double] {
    let ones = Tensor([2, count / 2], on: context)
    ones.fill(1)
    let mask = DropoutOperator(rate: 0.4, seed: 3, layer: 6, positions: [4, 5])(ones).floats.wide
    #expect(mask.contains(0) && mask.contains { $0 > 1 })
    return mask
  }

  @Test(arguments: [0.0, 0.4])
  func residualBranch(_ rate: Double) {
    let context = ComputeContext()
    let mask = rate > 0 ? mask(4 * 70, on: context) : [Double](repeating: 1, count: 4 * 70)
    expectClose(
      check(
        [
          (values(4 * 5, 1), [2, 2, 5]), (values(5 * 70, 2), [5, 70]), (values(70, 3), [70]),
          (values(4 * 70, 4), [2, 2, 70]),
        ], on: context,
        plain: { inputs in
          let y = Plain.linear(inputs[0], inputs[1], inputs[2], rows: 4, k: 5, n: 70)
          return y.indices.map { y[$0] * mask[$0] + inputs[3][$0] }
        },
        taped: {
          linear(
            $1[0], $1[1], $1[2], addedTo: $1[3], through: Dropout(rate: rate, layer: 6))
        }))
  }

  @Test(arguments: [0.0, 0.4])
  func perceptron(_ rate: Double) {
    let context = ComputeContext()
    let mask = rate > 0 ? mask(4 * 40, on: context) : [Double](repeating: 1, count: 4 * 40)
    expectClose(
      check(
        [
          (values(4 * 5, 1), [2, 2, 5]), (values(5 * 9, 2), [5, 9]), (values(9, 3), [9]),
          (values(9 * 40, 4), [9, 40]), (values(40, 5), [40]), (values(4 * 40, 6), [2, 2, 40]),
        ], on: context,
        plain: { inputs in
          let h = Plain.linear(inputs[0], inputs[1], inputs[2], rows: 4, k: 5, n: 9)
          let y = Plain.linear(h.map(Plain.gelu), inputs[3], inputs[4], rows: 4, k: 9, n: 40)
          return y.indices.map { y[$0] * mask[$0] + inputs[5][$0] }
        },
        taped: {
          multilayerPerceptron(
            $1[0], $1[1], $1[2], $1[3], $1[4], addedTo: $1[5],
            through: Dropout(rate: rate, layer: 6))
        }))
  }

  @Test func rowAddedToRows() {
    expectClose(
      check(
        [
          (values(4 * 5, 1), [2, 2, 5]), (values(35, 2), [5, 7]), (values(7, 3), [7]),
          (values(7, 4), [7]),
        ],
        plain: { inputs in
          let y = Plain.linear(inputs[0], inputs[1], inputs[2], rows: 4, k: 5, n: 7)
          return y.indices.map { y[$0] + inputs[3][$0 % 7] }
        },
        taped: { linear($1[0], $1[1], $1[2], plus: $1[3]) }))
  }

  /// A residual of the branch's own input: its gradient takes two ways.
  @Test func residualOfTheInput() {
    expectClose(
      check(
        [(values(6 * 5, 1), [6, 5]), (values(25, 2), [5, 5])],
        plain: { inputs in
          let y = Plain.linear(inputs[0], inputs[1], nil, rows: 6, k: 5, n: 5)
          return zip(y, inputs[0]).map { $0 + $1 }
        },
        taped: { linear($1[0], $1[1], nil, addedTo: $1[0]) }))
  }

  @Test func squaredErrorLoss() {
    let (target, weights) = (values(14, 2), [0.25, 4])
    expectClose(
      check(
        [(values(14, 1), [2, 7])],
        plain: { inputs in
          [
            (0..<14).reduce(0.0) {
              let e = inputs[0][$1] - Double(target[$1])
              return $0 + weights[$1 / 7] / 7 * e * e
            }
          ]
        },
        taped: {
          squaredError($1[0], Tensor(target, [2, 7], on: $1[0].value.context), weights: weights)
            .total
        }))
  }

  /// A chain in which a value is used twice, at different depths.
  @Test func valuesUsedTwice() {
    expectClose(
      check(
        [(values(6 * 5, 1), [6, 5]), (values(25, 2), [5, 5])],
        plain: { inputs in
          let h = Plain.linear(inputs[0], inputs[1], nil, rows: 6, k: 5, n: 5).map(Plain.silu)
          let again = Plain.linear(h, inputs[1], nil, rows: 6, k: 5, n: 5)
          return zip(zip(again, h).map { $0 + $1 }, inputs[0]).map { $0 + $1 }
        },
        taped: {
          let h = silu(linear($1[0], $1[1], nil))
          return linear(h, $1[1], nil) + h + $1[0]
        }))
  }
}
