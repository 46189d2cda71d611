import FileFormats
import Foundation
import Images

/// What `Tests/Reference/pictures/make_pictures.py` wrote.
package enum ImageFixtures {
  /// The path of one of those files.
  package static func path(_ name: String) -> String {
    Repository.reference("pictures/\(name)").path
  }

  /// The goldens' image of this size.
  package static func image(_ width: Int, _ height: Int) -> RGBImage {
    var pixels: [UInt8] = []
    for y in 0..<height {
      for x in 0..<width {
        for c in 0..<3 {
          pixels.append(UInt8((37 * y + 101 * x + 59 * c + 13 * x * y + 7 * x * x) % 256))
        }
      }
    }
    return RGBImage(width: width, height: height, pixels: pixels)
  }

  /// An image of one colour, as a PNG.
  package static func png(_ red: UInt8, side: Int = 8) throws -> Data {
    let pixels = (0..<side * side).flatMap { _ in [red, 20, 30] as [UInt8] }
    return Data(try ImageFile.storedPNG(RGBImage(width: side, height: side, pixels: pixels)))
  }
}

extension RGBImage {
  /// The three levels of a pixel, red first.
  package subscript(x: Int, y: Int) -> [Int] {
    (0..<3).map { Int(pixels[(y * width + x) * 3 + $0]) }
  }
}
