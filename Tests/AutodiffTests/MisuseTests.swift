import Autodiff
import TensorCore
import Testing

/// Misuse of the tape and of parameter sets stops the process.
@Suite struct MisuseTests {
  @Test func backwardWithoutSeed() async {
    await #expect(processExitsWith: .failure) {
      let tape = Tape()
      tape.backward(from: silu(tape.variable(Tensor(zeros: [2], on: ComputeContext()))))
    }
  }

  @Test func backwardOnAnotherTape() async {
    await #expect(processExitsWith: .failure) {
      let (tape, other) = (Tape(), Tape())
      let y = silu(tape.variable(Tensor(zeros: [1], on: ComputeContext())))
      other.backward(from: y)
    }
  }

  @Test func aNameTwice() async {
    await #expect(processExitsWith: .failure) {
      let root = ParameterSet().root
      _ = root.parameter("a", [1], .zeros)
      _ = root.parameter("a", [1], .zeros)
    }
  }

  @Test func declarationAfterSeal() async {
    await #expect(processExitsWith: .failure) {
      let set = ParameterSet()
      set.seal()
      _ = set.root.parameter("a", [1], .zeros)
    }
  }

  @Test func weightsBeforeAllocation() async {
    await #expect(processExitsWith: .failure) {
      let set = ParameterSet()
      set.seal()
      _ = set.weights
    }
  }

  @Test func weightsOfAnotherNetwork() async {
    await #expect(processExitsWith: .failure) {
      let set = ParameterSet()
      _ = set.root.parameter("a", [1], .zeros)
      set.seal()
      set.withWeights(Tensor(zeros: [1], on: ComputeContext())) {}
    }
  }
}
