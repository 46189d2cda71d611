import Operators
import TensorCore
import Testing

/// Shapes that do not fit are programmer errors: they stop the process before memory is touched.
@Suite struct MisuseTests {
  @Test func linearWidths() async {
    await #expect(processExitsWith: .failure) {
      let engine = Engine()
      _ = LinearOperator.forward(
        Tensor(zeros: [2, 3], on: engine), weight: Tensor(zeros: [4, 5], on: engine), bias: nil)
    }
  }

  @Test func linearBias() async {
    await #expect(processExitsWith: .failure) {
      let engine = Engine()
      _ = LinearOperator.forward(
        Tensor(zeros: [2, 3], on: engine), weight: Tensor(zeros: [3, 5], on: engine),
        bias: Tensor(zeros: [4], on: engine))
    }
  }

  @Test func convolutionGradientOfAnotherShape() async {
    await #expect(processExitsWith: .failure) {
      let engine = Engine()
      _ = ConvolutionOperator.inputGradient(
        Tensor(zeros: [1, 4, 4, 2], on: engine), weight: Tensor(zeros: [3, 3, 1, 2], on: engine),
        kind: .down, inputShape: [1, 4, 4, 1])
    }
  }

  @Test func convolutionOfAnotherSize() async {
    await #expect(processExitsWith: .failure) {
      let engine = Engine()
      _ = ConvolutionOperator.forward(
        Tensor(zeros: [1, 4, 4, 2], on: engine), weight: Tensor(zeros: [5, 5, 2, 2], on: engine),
        bias: nil, kind: .same)
    }
  }

  @Test func groupsThatDoNotDivide() async {
    await #expect(processExitsWith: .failure) {
      let engine = Engine()
      let gain = Tensor(zeros: [6], on: engine)
      _ = GroupNormOperator.forward(
        Tensor(zeros: [1, 2, 2, 6], on: engine), gamma: gain, beta: gain, groups: 4, epsilon: 1e-6,
        swish: false)
    }
  }

  @Test func windowThatDoesNotDivide() async {
    await #expect(processExitsWith: .failure) {
      let engine = Engine()
      _ = WindowAttentionOperator(heads: 1, window: 4).forward(
        Tensor(zeros: [1, 4, 6, 12], on: engine), shift: Tensor(zeros: [1, 12], on: engine),
        table: Tensor(zeros: [49, 1], on: engine))
    }
  }

  @Test func tableOfAnotherWindow() async {
    await #expect(processExitsWith: .failure) {
      let engine = Engine()
      _ = WindowAttentionOperator(heads: 1, window: 2).forward(
        Tensor(zeros: [1, 4, 4, 12], on: engine), shift: Tensor(zeros: [1, 12], on: engine),
        table: Tensor(zeros: [49, 1], on: engine))
    }
  }

  @Test func dropoutOfEverything() async {
    await #expect(processExitsWith: .failure) {
      _ = DropoutOperator(rate: 1, seed: 0, layer: 0, positions: [])
    }
  }

  @Test func dropoutPositions() async {
    await #expect(processExitsWith: .failure) {
      _ = DropoutOperator(rate: 0.5, seed: 0, layer: 0, positions: [1])(
        Tensor(zeros: [2, 3], on: Engine()))
    }
  }

  @Test func sumOfShapes() async {
    await #expect(processExitsWith: .failure) {
      let engine = Engine()
      _ = sum(Tensor(zeros: [2, 3], on: engine), Tensor(zeros: [3, 2], on: engine))
    }
  }

  @Test func weightsOfImages() async {
    await #expect(processExitsWith: .failure) {
      let x = Tensor(zeros: [2, 3], on: Engine())
      _ = SquaredErrorOperator.forward(x, target: x, weights: [1])
    }
  }
}
