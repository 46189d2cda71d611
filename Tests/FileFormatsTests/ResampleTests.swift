import FileFormats
import FixtureSupport
import Foundation
import Images
import Testing

/// Transforms against Pillow's, byte by byte.
@Suite struct ResampleTests {
  private static let sizes = [(45, 31), (31, 45), (130, 67), (16, 16), (9, 64), (301, 7)]

  @Test(arguments: ImageTransform.allCases) func bytesAreThoseOfPillow(
    transform: ImageTransform
  ) throws {
    let golden = try NPZFile(ImageFixtures.path("transforms.npz"))
    let filters = transform == .centerCropDhariwal ? [nil] : ResampleFilter.allCases.map { $0 }
    for (width, height) in Self.sizes {
      let image = ImageFixtures.image(width, height)
      for filter in filters {
        for side in [7, 24] {
          let parts = [transform.rawValue, filter?.rawValue, "\(width)x\(height)", "\(side)"]
          let name = parts.compactMap(\.self).joined(separator: "-")
          let expected = try golden.array(name)
          let found = transform(image, side: side, filter: filter ?? .box)
          #expect(expected.shape == [side, side, 3])
          #expect(found.pixels == expected.bytes, "\(name)")
        }
      }
    }
  }

  /// Only what is wanted is computed, and it is the same.
  @Test(arguments: ResampleFilter.allCases) func aPartIsThatOfTheWhole(filter: ResampleFilter) {
    let image = ImageFixtures.image(53, 41)
    for size in [ImageSize(width: 20, height: 17), ImageSize(width: 90, height: 71)] {
      let whole = image.resampled(to: size, filter)
      let part = image.resampled(to: size, filter, columns: 3..<14, rows: 5..<16)
      #expect(part == whole.cropped(left: 3, top: 5, width: 11, height: 11))
    }
  }

  @Test(arguments: ResampleFilter.allCases) func weightsSumToOne(filter: ResampleFilter) {
    for (inputs, outputs) in [(1, 1), (7, 7), (1, 9), (9, 1), (500, 64), (64, 500), (3, 2)] {
      let taps = ResampleWeights(filter, from: inputs, to: outputs)
      #expect(taps.first.count == outputs && taps.start.count == outputs + 1)
      for output in 0..<outputs {
        let own = taps.weights[taps.start[output]..<taps.start[output + 1]]
        #expect(abs(own.reduce(0, +) - 1) < 1e-12)
        #expect(taps.first[output] >= 0 && taps.first[output] + own.count <= inputs)
      }
    }
  }

  @Test(arguments: ResampleFilter.allCases) func flatStaysFlat(filter: ResampleFilter) {
    let image = RGBImage(
      width: 37, height: 5, pixels: (0..<37 * 5).flatMap { _ in [0, 255, 131] as [UInt8] })
    for size in [ImageSize(width: 3, height: 3), ImageSize(width: 80, height: 40)] {
      let result = image.resampled(to: size, filter)
      let colours = Set((0..<result.pixels.count / 3).map { result.pixels[3 * $0..<3 * $0 + 3] })
      #expect(colours == [[0, 255, 131]])
    }
  }

  @Test func itsOwnSizeIsACopy() {
    let image = ImageFixtures.image(19, 11)
    #expect(image.resampled(to: image.size, .lanczos) == image)
    #expect(
      ImageTransform.stretch(
        image.cropped(left: 4, top: 0, width: 11, height: 11),
        side: 11, filter: .bicubic) == image.cropped(left: 4, top: 0, width: 11, height: 11))
  }

  /// A strip so narrow that the whole would be 40 million pixels.
  @Test func anExtremeStripIsCheap() {
    let strip = RGBImage(
      width: 20_000, height: 2, pixels: (0..<120_000).map { UInt8($0 % 251) })
    let result = ImageTransform.centerCropDhariwal(strip, side: 64, filter: .box)
    #expect(result.size == ImageSize(width: 64, height: 64))
  }
}
