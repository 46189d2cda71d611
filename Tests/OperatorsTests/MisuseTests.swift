import NumericsSupport
import Operators
import TensorCore
import Testing

/// Shapes that do not fit are programmer errors: they stop the process before memory is touched.
@Suite struct MisuseTests {
  @Test func linearWidths() async {
    await #expect(processExitsWith: .failure) {
      let context = ComputeContext()
      _ = LinearOperator.forward(
        Tensor(zeros: [2, 3], on: context), weight: Tensor(zeros: [4, 5], on: context), bias: nil)
    }
  }

  @Test func linearBias() async {
    await #expect(processExitsWith: .failure) {
      let context = ComputeContext()
      _ = LinearOperator.forward(
        Tensor(zeros: [2, 3], on: context), weight: Tensor(zeros: [3, 5], on: context),
        bias: Tensor(zeros: [4], on: context))
    }
  }

  @Test func convolutionGradientOfAnotherShape() async {
    await #expect(processExitsWith: .failure) {
      let context = ComputeContext()
      _ = ConvolutionOperator.inputGradient(
        Tensor(zeros: [1, 4, 4, 2], on: context), weight: Tensor(zeros: [3, 3, 1, 2], on: context),
        kind: .down, inputShape: [1, 4, 4, 1])
    }
  }

  @Test func convolutionOfAnotherSize() async {
    await #expect(processExitsWith: .failure) {
      let context = ComputeContext()
      _ = ConvolutionOperator.forward(
        Tensor(zeros: [1, 4, 4, 2], on: context), weight: Tensor(zeros: [5, 5, 2, 2], on: context),
        bias: nil, kind: .same)
    }
  }

  @Test func groupsThatDoNotDivide() async {
    await #expect(processExitsWith: .failure) {
      let context = ComputeContext()
      let gain = Tensor(zeros: [6], on: context)
      _ = GroupNormOperator.forward(
        Tensor(zeros: [1, 2, 2, 6], on: context), gamma: gain, beta: gain, groups: 4, epsilon: 1e-6,
        swish: false)
    }
  }

  @Test func windowThatDoesNotDivide() async {
    await #expect(processExitsWith: .failure) {
      let context = ComputeContext()
      _ = WindowAttentionOperator(heads: 1, window: 4).forward(
        Tensor(zeros: [1, 4, 6, 12], on: context), shift: Tensor(zeros: [1, 12], on: context),
        table: Tensor(zeros: [49, 1], on: context))
    }
  }

  @Test func tableOfAnotherWindow() async {
    await #expect(processExitsWith: .failure) {
      let context = ComputeContext()
      _ = WindowAttentionOperator(heads: 1, window: 2).forward(
        Tensor(zeros: [1, 4, 4, 12], on: context), shift: Tensor(zeros: [1, 12], on: context),
        table: Tensor(zeros: [49, 1], on: context))
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
        Tensor(zeros: [2, 3], on: ComputeContext()))
    }
  }

  @Test func sumOfShapes() async {
    await #expect(processExitsWith: .failure) {
      let context = ComputeContext()
      _ = sum(Tensor(zeros: [2, 3], on: context), Tensor(zeros: [3, 2], on: context))
    }
  }

  @Test func weightsOfImages() async {
    await #expect(processExitsWith: .failure) {
      let x = Tensor(zeros: [2, 3], on: ComputeContext())
      _ = SquaredErrorOperator.forward(x, target: x, weights: [1])
    }
  }
}
