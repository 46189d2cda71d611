import Datasets
import FileFormats
import Images
import InceptionSupport
import Metrics
import NumericsSupport
import Scores
import TensorCore
import Testing

/// The built-in network ranks what it is for: the worse the images, the farther.
@Suite struct RandomFeaturesTests {
  static let count = 600

  private static func shapes(_ range: Range<Int>, classes: Int = 10) throws -> [RGBImage] {
    let dataset = ShapesDataset(resolution: 32, count: 20_000)
    var (images, index) = ([RGBImage](), range.lowerBound)
    while images.count < range.count {
      if index % 10 < classes { images.append(try dataset.image(index).image) }
      index += 1
    }
    return images
  }

  private static func changed(
    _ images: [RGBImage], _ change: (_ image: Int, _ pixels: [Double]) -> [Double]
  ) -> [RGBImage] {
    images.enumerated().map { index, image in
      let pixels = change(index, image.pixels.map(Double.init))
      return RGBImage(
        width: image.width, height: image.height,
        pixels: pixels.map { UInt8(min(max($0.rounded(), 0), 255)) })
    }
  }

  private static func noisy(_ images: [RGBImage], sigma: Double) -> [RGBImage] {
    changed(images) { index, pixels in
      let stream = RandomStream(seed: 3, .test, substream: 9, position: UInt64(index))
      return zip(pixels, stream.normals(pixels.count)).map { $0 + sigma * $1 }
    }
  }

  /// Binomial weights over three pixels in both directions, `rounds` times.
  private static func blurred(_ images: [RGBImage], rounds: Int) -> [RGBImage] {
    changed(images) { _, pixels in
      var pixels = pixels
      for step in Array(repeating: [3, 32 * 3], count: rounds).flatMap({ $0 }) {
        let from = pixels
        for i in pixels.indices {
          let place = i / step % 32
          let (before, after) = (place > 0 ? i - step : i, place < 31 ? i + step : i)
          pixels[i] = (from[before] + 2 * from[i] + from[after]) / 4
        }
      }
      return pixels
    }
  }

  private static func grey(_ images: [RGBImage]) -> [RGBImage] {
    changed(images) { _, pixels in
      Array(repeating: pixels.reduce(0, +) / Double(pixels.count), count: pixels.count)
    }
  }

  /// Squared distance of means plus squared distance of deviations, feature by feature: Frechet's distance of
  /// independent features.
  private static func distance(_ a: FeatureMatrix, _ b: FeatureMatrix) -> Double {
    func moments(_ m: FeatureMatrix, _ column: Int) -> (mean: Double, deviation: Double) {
      let values = stride(from: column, to: m.values.count, by: m.width).map {
        Double(m.values[$0])
      }
      let mean = values.reduce(0, +) / Double(values.count)
      let squares = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
      return (mean, (squares / Double(values.count)).squareRoot())
    }
    return (0..<a.width).reduce(0) { sum, column in
      let (x, y) = (moments(a, column), moments(b, column))
      let (mean, deviation) = (x.mean - y.mean, x.deviation - y.deviation)
      return sum + mean * mean + deviation * deviation
    }
  }

  @Test func worseImagesAreFarther() throws {
    let context = try! ComputeContext(threadCount: 2)
    let network = RandomFeatures(on: context)
    func rows(_ images: [RGBImage]) throws -> FeatureMatrix {
      try #require(network.features(of: images, kinds: [.random], on: context)[.random])
    }
    let reference = try rows(Self.shapes(0..<2 * Self.count))
    func far(_ images: [RGBImage]) throws -> Double { Self.distance(reference, try rows(images)) }

    let images = try Self.shapes(2 * Self.count..<3 * Self.count)
    let same = try far(images)
    let noise = try [4, 12, 40].map { try far(Self.noisy(images, sigma: $0)) }
    let grey = try far(Self.grey(images))
    #expect(
      2 * same < noise[0] && 2 * noise[0] < noise[1] && 1.5 * noise[1] < noise[2],
      "\(same), \(noise)")
    #expect(1.5 * noise[2] < grey)
    let blur = try [1, 3].map { try far(Self.blurred(images, rounds: $0)) }
    #expect(2 * same < blur[0] && 2 * blur[0] < blur[1] && blur[1] < grey, "\(blur)")
    let fewer = try [5, 2].map {
      try far(Self.shapes(2 * Self.count..<3 * Self.count, classes: $0))
    }
    #expect(2 * same < fewer[0] && 1.2 * fewer[0] < fewer[1], "\(fewer)")
  }

  @Test func rowsDependOnTheirImagesAlone() throws {
    let sizes = [(32, 32), (32, 32), (40, 20), (64, 64), (100, 64), (1, 1), (32, 32), (300, 200)]
    let images =
      sizes.map { RandomInception.image(height: $0.0, width: $0.1) }
      + Array(repeating: RandomInception.image(height: 8, width: 8), count: 40)
    let network = RandomFeatures(on: ComputeContext())
    let together = try #require(
      network.features(of: images, kinds: [.random], on: try! ComputeContext(threadCount: 3))[
        .random])
    #expect(together.count == images.count && together.width == network.widths[.random])
    for (i, image) in images.enumerated() {
      let alone = network.features(
        of: [image], kinds: [.random], on: ComputeContext())
      let row = together.values[i * together.width..<(i + 1) * together.width]
      #expect(Array(row).bits == alone[.random]?.values.bits, "image \(i)")
    }
  }

  /// A large image is that of its averages: whole pixels, repeated, change nothing.
  @Test func largeImagesAreAveraged() throws {
    let context = ComputeContext()
    let network = RandomFeatures(on: context)
    let small = RandomInception.image(height: 64, width: 64)
    let large = RGBImage(
      width: 192, height: 128,
      pixels: (0..<128 * 192).flatMap { i -> [UInt8] in
        let at = (i / 192 / 2 * 64 + i % 192 / 3) * 3
        return Array(small.pixels[at..<at + 3])
      })
    let rows = try #require(
      network.features(of: [small, large], kinds: [.random], on: context)[.random])
    #expect(
      relativeError(Array(rows.values[rows.width...]), to: Array(rows.values[..<rows.width]))
        < 1e-5)
  }

  /// Its weights are the same bits everywhere, and instruction sets differ by rounding alone.
  @Test(arguments: Setup.levels)
  func theNetworkIsFixed(_ level: KernelTable.Level) throws {
    let context = Setup(level, threads: 1).context
    let network = RandomFeatures(on: context)
    #expect(network.digest == "7962c4f6924abcfa3700785e00e9c615")
    #expect(network.name == "builtin" && network.protocolName == "native")
    let images = RandomInception.images
    let found = try #require(
      network.features(of: images, kinds: [.random], on: context)[.random])
    let plain = Setup(.portable, threads: 1).context
    let expected = try #require(
      RandomFeatures(on: plain).features(of: images, kinds: [.random], on: plain)[.random])
    #expect(relativeError(found.values, to: expected.values) < 2e-6)
    #expect(
      RandomFeatures(on: plain).features(of: [], kinds: [.random], on: plain)[.random]?.count == 0)
  }
}
