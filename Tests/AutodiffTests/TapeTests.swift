import Autodiff
import NumericsSupport
import TensorCore
import Testing

/// A chain of linear layers with activations, whose first weight is used again at the end.
private struct Chain {
  let parameters = ParameterSet()
  let weights: [Parameter]
  let bias: Parameter
  let unused: Parameter

  init(layers: Int = 3, width: Int = 6, on context: ComputeContext) {
    let root = parameters.root
    weights = (0..<layers).map { root("layer", $0).parameter("weight", [width, width], .ones) }
    bias = root.parameter("bias", [width], .zeros)
    unused = root.parameter("unused", [3], .zeros)
    parameters.seal()
    parameters.allocate(on: context, gradients: true)
    let count = parameters.flatCount
    parameters.weights.copy(
      from: Tensor(values(count, 50, scale: 0.4), [count], on: context))
  }

  func callAsFunction(_ x: Variable) -> Variable {
    var x = x
    for weight in weights { x = gelu(linear(x, weight, bias)) }
    return linear(x, weights[0], nil)
  }
}

@Suite struct TapeTests {
  let context = ComputeContext()

  private func input(_ seed: Int, rows: Int = 4) -> Tensor {
    Tensor(values(rows * 6, seed), [rows, 6], on: context)
  }

  private func backward(_ chain: Chain, _ x: Tensor, ready: ((Parameter) -> Void)? = nil) {
    let tape = Tape()
    tape.onGradientReady = ready
    let y = chain(tape.constant(x))
    tape.backward(from: squaredError(y, x, weights: x.shape[0].ones).total)
  }

  /// Each parameter's gradient in one pass with the parameter as a plain variable.
  private func gradients(_ chain: Chain, _ x: Tensor) -> [Float] {
    chain.parameters.beginStep()
    backward(chain, x)
    chain.parameters.zeroMissingGradients()
    return chain.parameters.gradients.floats
  }

  @Test func microBatchesAdd() {
    let chain = Chain(on: context)
    let (first, second) = (input(1), input(2))
    let separate = zip(gradients(chain, first), gradients(chain, second)).map {
      Double($0) + Double($1)
    }
    chain.parameters.beginStep()
    backward(chain, first)
    backward(chain, second)
    chain.parameters.zeroMissingGradients()
    #expect(relativeError(chain.parameters.gradients, separate) < 1e-6)
    #expect(separate.contains { $0 != 0 })
  }

  /// What an earlier step left behind, NaN included, does not show in the next.
  @Test func beginStepMakesGradientsStale() {
    let chain = Chain(on: context)
    let expected = gradients(chain, input(1))
    chain.parameters.gradients.fill(.nan)
    chain.parameters.beginStep()
    backward(chain, input(1))
    #expect(chain.unused.gradient.floats.allSatisfy { $0.isNaN })
    #expect(!chain.unused.hasGradient && chain.bias.hasGradient)
    chain.parameters.zeroMissingGradients()
    for parameter in chain.parameters.parameters {
      #expect(parameter.hasGradient)
      #expect(parameter.gradient.floats == Array(expected[parameter.range]))
    }
    #expect(chain.unused.gradient.floats == [0, 0, 0])
  }

  @Test func gradientReadyComesOnceAndLast() {
    let chain = Chain(on: context)
    let final = gradients(chain, input(1))
    chain.parameters.beginStep()
    var names: [String] = []
    backward(chain, input(1)) { parameter in
      names.append(parameter.name)
      #expect(parameter.gradient.floats == Array(final[parameter.range]), "\(parameter.name)")
    }
    // The bias and the first weight are used to the end; a layer writes its bias first.
    #expect(names == ["layer.2.weight", "layer.1.weight", "bias", "layer.0.weight"])
  }

  @Test func gradientsLeaveParametersAloneAndRunTwice() {
    let chain = Chain(on: context)
    chain.parameters.beginStep()
    chain.parameters.gradients.fill(7)
    let tape = Tape()
    var ready = 0
    tape.onGradientReady = { _ in ready += 1 }
    let x = tape.variable(input(1))
    let other = tape.variable(input(2))
    let y = chain(x)
    let loss = squaredError(y, input(3), weights: 4.ones).total
    let first = tape.gradients(of: loss, at: [x, other, y])
    let second = tape.gradients(of: loss, at: [x, other, y])
    #expect(first[0]?.bits == second[0]?.bits && first[0] != nil)
    #expect(first[1] == nil, "the loss does not depend on it")
    #expect(first[2]?.shape == y.shape)
    // A list without any variable of the tape asks for nothing, and changes nothing.
    #expect(tape.gradients(of: loss, at: []).isEmpty)
    #expect(tape.gradients(of: loss, at: [Variable(input(1))]).count == 1)
    #expect(chain.parameters.gradients.floats.allSatisfy { $0 == 7 })
    #expect(ready == 0 && chain.parameters.parameters.allSatisfy { !$0.hasGradient })
    // The graph was kept, so the parameters' pass still runs.
    tape.backward(from: loss)
    #expect(ready == 4)
  }

  @Test func twoLossesShareAGraph() {
    let chain = Chain(on: context)
    let tape = Tape()
    let x = tape.variable(input(1))
    let y = chain(x)
    let a = tape.gradients(of: silu(y), at: [y], seed: input(2))[0]
    let b = tape.gradients(of: gelu(y), at: [y], seed: input(2))[0]
    #expect(a != nil && b != nil && a?.bits != b?.bits)
  }

  @Test func constantsGetNoGradient() {
    let tape = Tape()
    let (x, c) = (tape.variable(input(1)), tape.constant(input(2)))
    let y = x + c
    let found = tape.gradients(of: y, at: [x, c], seed: input(3))
    #expect(found[0]?.floats == input(3).floats)
    #expect(found[1] == nil)
  }

  /// What is computed again follows the pass that asks for it.
  @Test func recomputedPartsLeaveParametersAloneToo() {
    let chain = Chain(on: context)
    let tape = Tape()
    let x = tape.variable(input(1))
    let y = recomputed([x]) { chain($0[0]) }
    let first = tape.gradients(of: y, at: [x], seed: input(3))
    let second = tape.gradients(of: y, at: [x], seed: input(3))
    #expect(first[0] != nil && first[0]?.bits == second[0]?.bits)
    #expect(chain.parameters.parameters.allSatisfy { !$0.hasGradient })

    let plain = Tape()
    let z = plain.variable(input(1))
    #expect(plain.gradients(of: chain(z), at: [z], seed: input(3))[0]?.bits == first[0]?.bits)
  }

  @Test func withoutTapeNothingIsRecorded() {
    let chain = Chain(on: context)
    let y = chain(Variable(input(1)))
    #expect(y.tape == nil)
    let tape = Tape()
    #expect(chain(tape.constant(input(1))).value.bits == y.value.bits)
    let w = Variable(Tensor(values(36, 9), [6, 6], on: context))
    let dropout = Dropout(rate: 0.5, layer: 0)
    for x in [Variable(input(1)), tape.constant(input(1))] {
      let kept = linear(x, w, nil, addedTo: x, through: dropout)
      let plain = linear(x, w, nil, addedTo: x)
      #expect(kept.value.bits == plain.value.bits, "nothing is dropped without a source")
    }
  }
}

@Suite struct TapeMemoryTests {
  /// Activations go as backward passes, and nothing stays.
  @Test func backwardFreesActivations() {
    let context = ComputeContext()
    let chain = Chain(layers: 40, on: context)
    let x = Tensor(values(500 * 6, 1), [500, 6], on: context)
    let start = context.memory.liveBytes
    var live: [Int] = []
    do {
      let tape = Tape()
      tape.onGradientReady = { _ in live.append(context.memory.liveBytes - start) }
      let loss = squaredError(chain(tape.constant(x)), x, weights: 500.ones).total
      let activations = context.memory.liveBytes - start
      #expect(activations > 80 * x.count * 4, "40 layers save two tensors each")
      tape.backward(from: loss)
      let half = live.count / 2
      #expect(live[half] < live[0] * 6 / 10)
      #expect(live[live.count - 1] < live[0] / 5)
      #expect(context.memory.liveBytes - start <= 128, "only the loss is alive")
    }
    #expect(context.memory.liveBytes == start)
  }

  @Test func aPassWithoutTapeHoldsLittle() {
    let context = ComputeContext()
    let chain = Chain(layers: 40, on: context)
    let x = Tensor(values(500 * 6, 1), [500, 6], on: context)
    context.memory.trim()
    let start = context.memory.peakBytes
    _ = chain(Variable(x))
    #expect(context.memory.peakBytes - start < 8 * x.count * 4)
    #expect(context.memory.liveBytes <= start)
  }

  /// A tape that is dropped before backward takes its activations with it.
  @Test func droppingATapeFreesIt() {
    let context = ComputeContext()
    let chain = Chain(on: context)
    let x = Tensor(values(24, 1), [4, 6], on: context)
    let start = context.memory.liveBytes
    do {
      let tape = Tape()
      let y = chain(tape.variable(x))
      #expect(context.memory.liveBytes > start)
      _ = y
    }
    #expect(context.memory.liveBytes == start)
  }
}

extension Int {
  /// This many weights of 1.
  fileprivate var ones: [Double] { [Double](repeating: 1, count: self) }
}
