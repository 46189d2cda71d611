import Autodiff
import Foundation
import NumericsSupport
import Operators
import TensorCore
import Testing

/// What autoencoders and their losses add, against central differences, all inputs.
@Suite struct ImageDifferenceTests {
  private func expectClose(
    _ errors: (value: Double, gradients: [Double]), _ tolerance: Double = 5e-6,
    sourceLocation: SourceLocation = #_sourceLocation
  ) {
    #expect(errors.value < 3e-6, sourceLocation: sourceLocation)
    for (input, error) in errors.gradients.enumerated() {
      #expect(error < tolerance, "input \(input)", sourceLocation: sourceLocation)
    }
  }

  /// Numbers that keep away from 0 and from each other: what follows has kinks.
  private func apart(_ count: Int, _ seed: Int) -> [Float] {
    let order = values(count, seed).enumerated().sorted { $0.element < $1.element }.map(\.offset)
    var result = [Float](repeating: 0, count: count)
    for (rank, place) in order.enumerated() {
      result[place] = Float(rank - count / 2) / Float(count) * 2 + 0.3 / Float(count)
    }
    return result
  }

  @Test(arguments: [Float(0.2), 0])
  func rectifiers(_ slope: Float) {
    expectClose(
      check(
        [(apart(37, 1), [37])], plain: { $0[0].map { $0 > 0 ? $0 : Double(slope) * $0 } },
        taped: { leakyReLU($1[0], slope: slope) }))
  }

  @Test(arguments: [ImageWindow(2, stride: 2), ImageWindow(2, 3, stride: 3)])
  func pools(_ window: ImageWindow) {
    let (images, height, width, channels) = (2, 5, 7, 3)
    let (rows, columns) = (
      (height - window.height) / window.stride + 1, (width - window.width) / window.stride + 1
    )
    expectClose(
      check(
        [(apart(images * height * width * channels, 1), [images, height, width, channels])],
        plain: { inputs in
          (0..<images * rows * columns * channels).map { i in
            let (c, column) = (i % channels, i / channels % columns)
            let (row, image) = (i / channels / columns % rows, i / channels / columns / rows)
            let met = (0..<window.height * window.width).map { tap in
              let y = row * window.stride + tap / window.width
              let x = column * window.stride + tap % window.width
              return inputs[0][((image * height + y) * width + x) * channels + c]
            }
            return met.max() ?? 0
          }
        },
        taped: { maximumPool($1[0], window) }))
  }

  @Test func attentionAmongPixels() {
    let (images, pixels, channels) = (2, 6, 5)
    let shape: Shape = [images, 2, 3, channels]
    expectClose(
      check(
        [
          (values(shape.count, 1, scale: 2), shape), (values(shape.count, 2, scale: 2), shape),
          (values(shape.count, 3), shape),
        ],
        plain: { PlainPixelAttention.forward($0, images, pixels, channels) },
        taped: { pixelAttention($1[0], $1[1], $1[2]) }))
  }

  @Test func moments() {
    let x = (values(4 * 6, 1, scale: 3), Shape([4, 6]))
    expectClose(
      check(
        [x],
        plain: { inputs in (0..<12).map { inputs[0][$0 / 3 * 6 + $0 % 3] } },
        taped: { gaussianMoments($1[0], limits: -1...2).mean }))
    expectClose(
      check(
        [x],
        plain: { inputs in
          (0..<12).map { min(max(inputs[0][$0 / 3 * 6 + 3 + $0 % 3], -1), 2) }
        },
        taped: { gaussianMoments($1[0], limits: -1...2).logVariance }))
  }

  /// On a limit a gradient passes, beyond it none does, and not a number stays one.
  @Test func limitsOfMoments() {
    let context = ComputeContext()
    let tape = Tape()
    let x = tape.variable(Tensor([0, -1, 0, 2, 0, 2.5, 0, .nan], [4, 2], on: context))
    let log = gaussianMoments(x, limits: -1...2).logVariance
    #expect(log.value.floats.prefix(3) == [-1, 2, 2] && log.value.floats[3].isNaN)
    let seed = Tensor([1, 1, 1, 1], [4, 1], on: context)
    let dx = tape.gradients(of: log, at: [x], seed: seed)[0]?.floats
    #expect(dx == [0, 1, 0, 1, 0, 0, 0, 1])
  }

  @Test func drawsAndTheirDivergence() {
    let shape: Shape = [2, 2, 3]
    let noise = values(12, 3, scale: 2)
    let inputs = [(values(12, 1), shape), (values(12, 2, scale: 3), shape)]
    expectClose(
      check(
        inputs,
        plain: { inputs in
          (0..<12).map { inputs[0][$0] + exp(inputs[1][$0] / 2) * Double(noise[$0]) }
        },
        taped: { gaussianDraw($1[0], $1[1], noise: Tensor(noise, shape, on: $1[0].value.context)) })
    )
    expectClose(
      check(
        inputs,
        plain: { inputs in
          var sum = 0.0
          for (i, (mean, log)) in zip(inputs[0], inputs[1]).enumerated() {
            sum += (i < 6 ? 0.5 : 3) * 0.5 * (mean * mean + exp(log) - 1 - log)
          }
          return [sum]
        },
        taped: { gaussianDivergence($1[0], $1[1], weights: [0.5, 3]).total }))
  }

  /// A diverged network reaches the check for finite losses instead of ending the program.
  @Test func drawsOfWhatIsNoNumber() {
    let context = ComputeContext()
    let tape = Tape()
    let log = tape.variable(Tensor([.nan, 800, 0], [1, 3], on: context))
    let mean = tape.variable(Tensor([0, 0, 0], [1, 3], on: context))
    let noise = Tensor([1, 1, 1], [1, 3], on: context)
    let z = gaussianDraw(mean, log, noise: noise)
    #expect(z.value.floats[0].isNaN && z.value.floats[2] == 1)
    let divergence = gaussianDivergence(mean, log, weights: [1])
    #expect(divergence.terms[0].isNaN)
    let gradient = tape.gradients(of: z, at: [log], seed: noise)[0]?.floats
    #expect(gradient?[0].isNaN == true && gradient?[2] == 0.5)
  }

  /// A sum over two images of seven elements, with weights 0.25 and 4 of their means.
  private func weighted(_ x: [Double], _ term: (Int, Double) -> Double) -> [Double] {
    let weights = [0.25, 4.0]
    var sum = 0.0
    for (i, x) in x.enumerated() { sum += weights[i / 7] / 7 * term(i, x) }
    return [sum]
  }

  @Test func absoluteErrors() {
    let target = values(14, 2)
    let x = values(14, 1).map { $0 + 0.01 }
    expectClose(
      check(
        [(x, [2, 7])],
        plain: { weighted($0[0]) { i, x in abs(x - Double(target[i])) } },
        taped: {
          let constant = Tensor(target, [2, 7], on: $1[0].value.context)
          return absoluteError($1[0], constant, weights: [0.25, 4]).total
        }))
  }

  @Test(arguments: [HingeOperator.real, .fake, .generator])
  func hinges(_ kind: HingeOperator) {
    expectClose(
      check(
        [(values(14, 1, scale: 3), [2, 7])],
        plain: {
          weighted($0[0]) { _, x in
            switch kind {
            case .real: max(0, 1 - x)
            case .fake: max(0, 1 + x)
            case .generator: -x
            }
          }
        },
        taped: { hinge($1[0], kind, weights: [0.25, 4]).total }))
  }

  @Test func distancesOfUnitFeatures() {
    let (shape, channels) = (Shape([2, 2, 3, 37]), 37)
    let target = values(shape.count, 2)
    let w = values(channels, 3).map { $0 + 1 }
    func unit(_ x: [Double], _ row: Int) -> [Double] {
      let row = Array(x[row * channels..<(row + 1) * channels])
      let norm = row.reduce(0) { $0 + $1 * $1 }.squareRoot()
      return row.map { $0 / (norm + 1e-3) }
    }
    func distance(_ x: [Double], _ row: Int) -> Double {
      let (u, v) = (unit(x, row), unit(target.wide, row))
      var sum = 0.0
      for c in 0..<channels { sum += Double(w[c]) * (u[c] - v[c]) * (u[c] - v[c]) }
      return sum
    }
    expectClose(
      check(
        [(values(shape.count, 1), shape)],
        plain: { inputs in
          let first = (0..<6).reduce(0.0) { $0 + distance(inputs[0], $1) }
          let second = (6..<12).reduce(0.0) { $0 + distance(inputs[0], $1) }
          return [0.5 / 6 * first + 3.0 / 6 * second]
        },
        taped: {
          let context = $1[0].value.context
          return unitDistance(
            $1[0], Tensor(target, shape, on: context),
            channelWeights: Tensor(w, [channels], on: context), epsilon: 1e-3, weights: [0.5, 3]
          ).total
        }), 1e-5)
  }

  /// Where nothing lights up there is no direction: no gradient, and nothing that is not finite.
  @Test func distancesOfDarkPixels() {
    let context = ComputeContext()
    let tape = Tape()
    let x = tape.variable(Tensor(zeros: [1, 1, 1, 4], on: context))
    let target = Tensor([1, 0, 0, 0], [1, 1, 1, 4], on: context)
    let loss = unitDistance(
      x, target, channelWeights: Tensor([2, 1, 1, 1], [4], on: context), epsilon: 1e-10,
      weights: [1])
    #expect(abs(loss.terms[0] - 2) < 1e-6)
    #expect(tape.gradients(of: loss.total, at: [x])[0]?.floats == [0, 0, 0, 0])
  }

  /// A loss that another tape knows the gradient of.
  @Test func lossesFromElsewhere() {
    let context = ComputeContext()
    let tape = Tape()
    let x = tape.variable(Tensor(values(6, 1), [2, 3], on: context))
    let gradient = Tensor(values(6, 2), [2, 3], on: context)
    let total = loss([0.5, 1], gradient: gradient, at: x)
    #expect(total.value.floats == [1.5])
    #expect(tape.gradients(of: total, at: [x])[0]?.bits == gradient.bits)
    let twice = tape.gradients(of: total, at: [x], seed: Tensor([2], [1], on: context))[0]
    #expect(twice?.floats == gradient.floats.map { 2 * $0 })
  }

  /// Two networks on one tape: each parameter is ready when its own uses are over.
  @Test func parametersOfTwoSets() {
    let context = ComputeContext()
    let sets = (0..<2).map { _ in ParameterSet() }
    let weights = sets.map { $0.root.parameter("weight", [3, 3], .xavierUniform) }
    for set in sets {
      set.seal()
      set.allocate(on: context, gradients: true)
      set.initialize(seed: 1)
      set.beginStep()
    }
    let tape = Tape()
    var ready: [ObjectIdentifier] = []
    tape.onGradientReady = { ready.append(ObjectIdentifier($0)) }
    let x = tape.constant(Tensor(values(6, 1), [2, 3], on: context))
    let y = linear(linear(linear(x, weights[0], nil), weights[1], nil), weights[0], nil)
    tape.backward(from: y, seed: Tensor(values(6, 2), [2, 3], on: context))
    withExtendedLifetime(sets) {}  // parameters do not hold their set
    #expect(ready == [weights[1], weights[0]].map { ObjectIdentifier($0) })
  }

  /// A weight that never changes is packed once.
  @Test func frozenWeights() {
    let context = ComputeContext()
    let panels = PackedWeights()
    let w = Tensor(values(9, 2), [3, 3], on: context)
    let x = Variable(Tensor(values(6, 1), [2, 3], on: context))
    let frozen = linear(x, Variable(w, keptIn: panels), nil)
    let plain = linear(x, Variable(w), nil)
    #expect(frozen.value.bits == plain.value.bits)
    w.fill(0)  // against the rule, to see that the panels are used
    #expect(linear(x, Variable(w, keptIn: panels), nil).value.bits == plain.value.bits)
  }
}
