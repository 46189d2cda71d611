import FileFormats
import Images

/// Files that NumPy, Pillow and Python's zipfile wrote (`Tests/Reference/arrays/make_arrays.py`).
package enum ArrayFixtures {
  /// The path of one of those files.
  package static func path(_ name: String) -> String {
    Repository.reference("arrays/\(name)").path
  }

  /// The elements of every numeric golden, in C order.
  package static func values(_ count: Int, _ type: NumPyType) -> [Double] {
    (0..<count).map { k in
      switch type {
      case .bool: k % 3 == 0 ? 1 : 0
      case .uint8, .uint16, .uint32, .uint64: Double(7 * k % 23)
      default: Double(7 * k % 23 - 5)
      }
    }
  }

  /// One of the goldens' five images, 4 x 3 pixels.
  package static func image(_ index: Int) -> RGBImage {
    RGBImage(width: 4, height: 3, pixels: (0..<36).map { UInt8(37 * (36 * index + $0) % 256) })
  }
}
