import NumericsSupport
import Operators
import TensorCore
import Testing

@Suite struct PoolTests {
  static let windows = [
    ImageWindow(3, stride: 2), ImageWindow(3, padding: 1), ImageWindow(2, stride: 2),
    ImageWindow(1, 3, paddingX: 1),
  ]
  static let shapes: [Shape] = [[2, 7, 9, 5], [1, 8, 6, 16], [3, 5, 5, 37], [1, 17, 17, 64]]

  @Test(arguments: Setup.all, windows)
  func matchesTheDefinition(_ setup: Setup, _ window: ImageWindow) {
    let context = setup.context
    for shape in Self.shapes {
      let x = values(shape.count, 1)
      let tensor = Tensor(x, shape, on: context)
      let (largest, mean) = plain(window, x.wide, shape)
      #expect(PoolOperator.maximum(tensor, window).floats.wide == largest)
      #expect(relativeError(PoolOperator.mean(tensor, window), mean) < 1e-6)
    }
  }

  @Test(arguments: Setup.all)
  func writesItsChannelsAndRaisesThemToZero(_ setup: Setup) {
    let context = setup.context
    let x = Tensor(values(2 * 6 * 6 * 9, 1), [2, 6, 6, 9], on: context)
    let window = ImageWindow(3, padding: 1)
    let y = Tensor([2, 6, 6, 11], on: context)
    y.fill(-3)
    PoolOperator.mean(
      ImageChannels(x, 2..<7), window, relu: true, into: ImageChannels(y, 4..<9))
    let whole = PoolOperator.mean(x, window).floats
    for (i, value) in y.floats.enumerated() {
      let (pixel, channel) = (i / 11, i % 11)
      let inside = (4..<9).contains(channel)
      #expect(value == (inside ? max(whole[pixel * 9 + channel - 2], 0) : -3))
    }
  }

  @Test(arguments: Setup.levels)
  func bfloat16IsWidened(_ level: KernelTable.Level) {
    let context = Setup(level, threads: 2).context
    let narrow = Tensor(values(7 * 7 * 19, 1), [1, 7, 7, 19], on: context).cast(to: .bfloat16)
    let wide = narrow.cast(to: .float32)
    let window = ImageWindow(3, stride: 2)
    #expect(
      PoolOperator.maximum(narrow, window).cast(to: .float32).bits
        == PoolOperator.maximum(wide, window).bits)
    #expect(
      PoolOperator.mean(narrow, window).cast(to: .float32).bits
        == PoolOperator.mean(wide, window).cast(to: .bfloat16).cast(to: .float32).bits)
  }

  /// To the first of equals, and nothing to pixels outside every window.
  @Test(arguments: Setup.all)
  func gradientsOfAMaximum(_ setup: Setup) {
    let context = setup.context
    let window = ImageWindow(2, stride: 2)
    for shape in Self.shapes {
      // Few values, so that many are equal.
      let x = values(shape.count, 1).map { ($0 * 3).rounded() }
      let tensor = Tensor(x, shape, on: context)
      let y = PoolOperator.maximum(tensor, window)
      let dy = values(y.count, 2)
      var expected = [Float](repeating: 0, count: shape.count)
      var place = 0
      forEachWindow(window, shape) { pixels in
        for channel in 0..<shape[3] {
          let met = pixels.map { $0.1 * shape[3] + channel }
          let most = met.map { x[$0] }.max()
          if let first = met.first(where: { x[$0] == most }) { expected[first] = dy[place] }
          place += 1
        }
      }
      let dx = PoolOperator.maximumGradient(
        Tensor(dy, y.shape, on: context), x: tensor, y: y, window)
      #expect(dx.floats == expected)
    }
  }

  @Test(arguments: Setup.levels)
  func aMaximumDoesNotHideNotANumber(_ level: KernelTable.Level) {
    let context = Setup(level, threads: 1).context
    for place in 0..<9 {
      var x = values(9 * 5, 1)
      x[place * 5 + 2] = .nan
      let y = PoolOperator.maximum(Tensor(x, [1, 3, 3, 5], on: context), ImageWindow(3)).floats
      #expect(y.map(\.isNaN) == [false, false, true, false, false])
    }
  }

  @Test(arguments: Setup.all)
  func meansOfImages(_ setup: Setup) {
    let context = setup.context
    for shape in Self.shapes + [[2, 73, 73, 3]] {
      let x = values(shape.count, 1)
      let (pixels, channels) = (shape[1] * shape[2], shape[3])
      let expected = (0..<shape[0] * channels).map { i in
        (0..<pixels).reduce(0) {
          $0 + Double(x[(i / channels * pixels + $1) * channels + i % channels])
        } / Double(pixels)
      }
      let means = PoolOperator.imageMeans(Tensor(x, shape, on: context))
      #expect(means.shape == [shape[0], channels])
      #expect(relativeError(means, expected) < 1e-6)
    }
  }

  private func plain(
    _ window: ImageWindow, _ x: [Double], _ shape: Shape
  ) -> (largest: [Double], mean: [Double]) {
    var (largest, mean): ([Double], [Double]) = ([], [])
    forEachWindow(window, shape) { pixels in
      for channel in 0..<shape[3] {
        let met = pixels.map { x[$0.1 * shape[3] + channel] }
        largest.append(met.reduce(-.infinity, max))
        mean.append(met.reduce(0, +) / Double(met.count))
      }
    }
    return (largest, mean)
  }
}
