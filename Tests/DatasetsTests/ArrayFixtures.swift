import FileFormats
import Foundation

/// Files that NumPy, Pillow and Python's zipfile wrote (`Tests/Reference/arrays/make_arrays.py`).
enum ArrayFixtures {
  static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().appendingPathComponent("Reference/arrays").path

  static func path(_ name: String) -> String { "\(folder)/\(name)" }

  /// The elements of every numeric golden, in C order.
  static func values(_ count: Int, _ type: NumPyType) -> [Double] {
    (0..<count).map { k in
      switch type {
      case .bool: k % 3 == 0 ? 1 : 0
      case .uint8, .uint16, .uint32, .uint64: Double(7 * k % 23)
      default: Double(7 * k % 23 - 5)
      }
    }
  }

  /// The goldens' five images, 4 x 3 pixels.
  static let imageCount = 5
  static func image(_ index: Int) -> RGBImage {
    RGBImage(width: 4, height: 3, pixels: (0..<36).map { UInt8(37 * (36 * index + $0) % 256) })
  }
}
