import NumericsSupport
import Operators
import TensorCore
import Testing

@Suite struct FrozenConvolutionTests {
  /// Every window of Inception, on images and widths that fill neither tiles nor vectors.
  static let windows = [
    ImageWindow(1), ImageWindow(3), ImageWindow(3, padding: 1), ImageWindow(3, stride: 2),
    ImageWindow(3, stride: 2, padding: 1), ImageWindow(5, padding: 2),
    ImageWindow(1, 7, paddingX: 3), ImageWindow(7, 1, paddingY: 3), ImageWindow(1, 3, paddingX: 1),
    ImageWindow(3, 1, paddingY: 1),
  ]
  static let sizes = [(7, 7), (9, 8), (15, 11)]
  static let channels = [(3, 32), (5, 7), (16, 70)]

  @Test(arguments: Setup.all, windows)
  func matchesTheDefinition(_ setup: Setup, _ window: ImageWindow) {
    let context = setup.context
    for (height, width) in Self.sizes {
      for (k, n) in Self.channels {
        let x = values(2 * height * width * k, 1)
        let (w, b) = (values(window.height * window.width * k * n, 2), values(n, 3))
        let tensor = Tensor(x, [2, height, width, k], on: context)
        for relu in [0, n / 2, n] {
          let layer = FrozenConvolution(
            window, inputs: k, outputs: n, weights: w, bias: b, relu: relu, on: context)
          let expected = plain(window, x.wide, tensor.shape, w.wide, b.wide, n, relu: relu)
          #expect(relativeError(layer(tensor), expected) < 2e-6, "\(window), \(k) to \(n)")
        }
      }
    }
  }

  /// Reading a slice and writing a slice leaves the neighbours alone and changes no bit.
  @Test(arguments: Setup.all, windows)
  func slicesAreWhatWholeImagesAre(_ setup: Setup, _ window: ImageWindow) {
    let context = setup.context
    let wide = Tensor(values(2 * 9 * 8 * 11, 1), [2, 9, 8, 11], on: context)
    let narrow = Tensor(
      wide.floats.enumerated().filter { (3..<8).contains($0.offset % 11) }.map(\.element),
      [2, 9, 8, 5], on: context)
    let layer = FrozenConvolution(
      window, inputs: 5, outputs: 7,
      weights: values(window.height * window.width * 35, 2), bias: nil, on: context)
    let expected = layer(narrow)
    #expect(layer(ImageChannels(wide, 3..<8)).bits == expected.bits)
    let y = Tensor([2, expected.shape[1], expected.shape[2], 12], on: context)
    y.fill(-3)
    layer(ImageChannels(wide, 3..<8), into: ImageChannels(y, 2..<9))
    let written = y.floats.enumerated()
    #expect(
      written.filter { (2..<9).contains($0.offset % 12) }.map(\.element.bitPattern)
        == expected.bits)
    #expect(written.allSatisfy { (2..<9).contains($0.offset % 12) || $0.element == -3 })
  }

  @Test(arguments: Setup.levels)
  func threadsAndBatchChangeNoBit(_ level: KernelTable.Level) {
    let x = values(5 * 15 * 15 * 6, 1)
    let window = ImageWindow(3, padding: 1)
    let weights = values(9 * 6 * 21, 2)
    func run(_ threads: Int, _ images: Range<Int>) -> [UInt32] {
      let context = Setup(level, threads: threads).context
      let layer = FrozenConvolution(
        window, inputs: 6, outputs: 21, weights: weights, bias: nil, on: context)
      return layer(Tensor(x, [5, 15, 15, 6], on: context)[images]).bits
    }
    let together = run(1, 0..<5)
    #expect(run(3, 0..<5) == together)
    #expect(run(2, 3..<4) == Array(together[3 * 225 * 21..<4 * 225 * 21]))
  }

  /// ReLU does not hide that a number is none.
  @Test(arguments: Setup.levels)
  func notANumberStaysNotANumber(_ level: KernelTable.Level) {
    let context = Setup(level, threads: 1).context
    let layer = FrozenConvolution(
      ImageWindow(1), inputs: 2, outputs: 19, weights: values(38, 1), bias: nil, on: context)
    #expect(layer(Tensor([.nan, 1], [1, 1, 1, 2], on: context)).floats.allSatisfy { $0.isNaN })
  }

  private func plain(
    _ window: ImageWindow, _ x: [Double], _ shape: Shape, _ w: [Double], _ b: [Double], _ n: Int,
    relu: Int
  ) -> [Double] {
    let k = shape[3]
    var y: [Double] = []
    forEachWindow(window, shape) { pixels in
      for j in 0..<n {
        var sum = b[j]
        for (tap, pixel) in pixels {
          for i in 0..<k { sum += x[pixel * k + i] * w[(tap * k + i) * n + j] }
        }
        y.append(j < relu ? max(sum, 0) : sum)
      }
    }
    return y
  }
}

/// Calls `body` for each place of a window, image by image, with its taps inside: (tap, pixel).
func forEachWindow(_ window: ImageWindow, _ shape: Shape, _ body: ([(Int, Int)]) -> Void) {
  let rows = (shape[1] + 2 * window.paddingY - window.height) / window.stride + 1
  let columns = (shape[2] + 2 * window.paddingX - window.width) / window.stride + 1
  for image in 0..<shape[0] {
    for place in 0..<rows * columns {
      var pixels: [(Int, Int)] = []
      for tap in 0..<window.height * window.width {
        let y = place / columns * window.stride + tap / window.width - window.paddingY
        let x = place % columns * window.stride + tap % window.width - window.paddingX
        if (0..<shape[1]).contains(y) && (0..<shape[2]).contains(x) {
          pixels.append((tap, (image * shape[1] + y) * shape[2] + x))
        }
      }
      body(pixels)
    }
  }
}
