import NumericsSupport
import Operators
import TensorCore
import Testing

@Suite struct DropoutTests {
  static let positions: [UInt64] = [7, 0, 1 << 40 | 3]

  /// The factor of every element by the documented order: element 128 c + 16 (2 w + h) + b takes half h
  /// of word w of block 16 c + b.
  static func factors(rate: Double, seed: UInt64, layer: Int, position: UInt64, count: Int)
    -> [Float]
  {
    let threshold = UInt32((rate * 65536).rounded())
    let stream = RandomStream(seed: seed, .dropout, substream: layer, position: position)
    let scale = Float(1 / (1 - Double(threshold) / 65536))
    return (0..<count).map { element in
      let (chunk, place) = (element / 128, element % 128)
      let (word, half, lane) = (place / 32, place / 16 % 2, place % 16)
      let bits = stream.block(16 * chunk + lane)[word] >> UInt32(16 * half) & 0xffff
      return bits >= threshold ? scale : 0
    }
  }

  @Test(arguments: Setup.all)
  func maskIsThePlainPhiloxLoop(_ setup: Setup) {
    let context = setup.context
    for count in [1, 16, 100, 128, 129, 1000] {
      let x = values(3 * count, 1)
      let dropout = DropoutOperator(
        rate: 0.13, seed: 0x1234_5678_9abc_def0, layer: 5, positions: Self.positions)
      let y = dropout(Tensor(x, [3, count], on: context)).floats
      let mask = Self.positions.flatMap {
        Self.factors(
          rate: 0.13, seed: 0x1234_5678_9abc_def0, layer: 5, position: $0, count: count)
      }
      #expect(y == zip(x, mask).map { $0 * $1 }, "\(count)")
    }
  }

  @Test func keepRateAndScale() {
    let context = ComputeContext()
    let count = 1 << 18
    for rate in [0.05, 0.13, 0.5] {
      let ones = Tensor([1, count], on: context)
      ones.fill(1)
      let y = DropoutOperator(rate: rate, seed: 1, layer: 0, positions: [3])(ones).floats
      let kept = Double(y.count { $0 != 0 }) / Double(count)
      #expect(abs(kept - (1 - rate)) < 4 * (rate * (1 - rate) / Double(count)).squareRoot())
      let scale = 65536 / (65536 - (rate * 65536).rounded())
      #expect(y.allSatisfy { $0 == 0 || $0 == Float(scale) })
    }
  }

  @Test func maskDependsOnSeedLayerAndPosition() {
    let ones = Tensor([1, 512], on: ComputeContext())
    ones.fill(1)
    func mask(_ seed: UInt64, _ layer: Int, _ position: UInt64) -> [Float] {
      DropoutOperator(rate: 0.5, seed: seed, layer: layer, positions: [position])(ones).floats
    }
    let masks = [mask(1, 0, 0), mask(2, 0, 0), mask(1, 1, 0), mask(1, 0, 1), mask(1, 0, 1 << 32)]
    #expect(Set(masks).count == masks.count)
    #expect(mask(1, 0, 0) == masks[0])
  }

  /// An image's mask is the same whatever else is in the batch and wherever it stands in it.
  @Test(arguments: Setup.all)
  func batchComposition(_ setup: Setup) {
    let x = Tensor(values(3 * 300, 1), [3, 300], on: setup.context)
    func dropped(_ x: Tensor, _ positions: [UInt64]) -> [Float] {
      DropoutOperator(rate: 0.3, seed: 9, layer: 2, positions: positions)(x).floats
    }
    let together = dropped(x, Self.positions)
    for image in 0..<3 {
      let alone = dropped(x[image..<image + 1], [Self.positions[image]])
      #expect(alone == Array(together[image * 300..<(image + 1) * 300]))
    }
  }

  @Test func rateZeroKeepsEverything() {
    let x = values(200, 1)
    let y = DropoutOperator(rate: 0, seed: 1, layer: 0, positions: [0])(
      Tensor(x, [1, 200], on: ComputeContext()))
    #expect(y.floats == x)
  }
}
