import FileFormats
import Images
import InceptionSupport
import Metrics
import NumericsSupport
import TensorCore
import Testing

/// Resized inputs against those of TensorFlow 1's filter as torch-fidelity has it, Pillow and PyTorch.
@Suite struct ResizeTests {
  /// Four rows of the golden, every seventh pixel of each.
  @Test(arguments: ResizeProtocol.allCases, [1, 3])
  func rowsAreThoseOfThePeers(_ resize: ResizeProtocol, threads: Int) throws {
    let golden = try RandomInception.golden()
    let images = RandomInception.images
    let found = resize.inputs(images[...], on: try! ComputeContext(threadCount: threads))
    #expect(found.shape == [3, 299, 299, 3])
    var compared = 0
    for image in images.indices {
      let name = "\(image).\(resize.rawValue).input"
      guard golden[name] != nil else { continue }
      let rows = found[image..<image + 1].floats
      let values = [0, 1, 150, 298].flatMap { row in
        stride(from: 0, to: 299, by: 7).flatMap { column in
          (0..<3).map { rows[(row * 299 + column) * 3 + $0] }
        }
      }
      let expected = try golden.floats(name)
      // The first is the same arithmetic in the same order; the others may round otherwise.
      if resize == .tf1 { #expect(values == expected, "\(name)") }
      #expect(relativeError(values, to: expected) < 4e-7, "\(name)")
      compared += 1
    }
    #expect(compared >= 2)
  }

  /// 2 x 1 pixels, 0 and 255, worked out by hand.
  @Test func twoPixels() {
    let image = RGBImage(width: 2, height: 1, pixels: [0, 0, 0, 255, 255, 255])
    let context = ComputeContext()
    func row(_ resize: ResizeProtocol) -> [Double] {
      let floats = resize.inputs([image], on: context).floats.wide
      return (0..<299).map { floats[(17 * 299 + $0) * 3 + 1] }
    }
    let (corners, centres, clean) = (row(.tf1), row(.pytorchFID), row(.clean))
    for i in 0..<299 {
      let corner = min(Double(i) * 2 / 299, 1)
      #expect(abs(corners[i] - (255 * corner - 128) / 128) < 1e-5)
      let centre = min(max((Double(i) + 0.5) * 2 / 299 - 0.5, 0), 1)
      #expect(abs(centres[i] - (2 * centre - 1)) < 1e-5)
    }
    // Pillow leaves out what lies beyond the edge; overshoot is clipped.
    #expect(clean[0] == -1 && clean[298] == (255.0 - 128) / 128)
    #expect(abs(clean[149] - (127.5 - 128) / 128) < 1e-5)
  }

  /// At its own size an image is only scaled.
  @Test(arguments: ResizeProtocol.allCases)
  func sameSize(_ resize: ResizeProtocol) {
    let image = RandomInception.image(height: 299, width: 299)
    let values = resize.inputs([image], on: try! ComputeContext(threadCount: 2)).floats.wide
    let expected = image.pixels.map {
      resize == .pytorchFID ? Double($0) / 127.5 - 1 : (Double($0) - 128) / 128
    }
    #expect(zip(values, expected).allSatisfy { abs($0 - $1) < 2e-6 })
  }

  /// Ranges of rows that threads take do not show, not even where a batch mixes sizes.
  @Test(arguments: ResizeProtocol.allCases)
  func threadsAndNeighboursDoNotShow(_ resize: ResizeProtocol) {
    let images = RandomInception.images + [RandomInception.image(height: 1, width: 700)]
    let together = resize.inputs(images[...], on: try! ComputeContext(threadCount: 3))
    for i in images.indices {
      let alone = resize.inputs(images[i...i], on: ComputeContext())
      #expect(alone.bits == together[i..<i + 1].bits)
    }
  }

  @Test(arguments: ResizeProtocol.allCases)
  func flatImagesStayFlat(_ resize: ResizeProtocol) {
    for (width, height) in [(1, 1), (37, 500), (299, 2)] {
      let image = RGBImage(
        width: width, height: height, pixels: Array(repeating: 77, count: width * height * 3))
      let expected: Float = resize == .pytorchFID ? 2 * 77 / 255 - 1 : (77 - 128) / 128
      let values = resize.inputs([image], on: try! ComputeContext(threadCount: 2)).floats
      #expect(values.allSatisfy { abs($0 - expected) < 1e-6 })
    }
  }
}
