import Datasets
import Images

extension Augmentation {
  /// Augments an array in place.
  func apply(to image: inout [Float], height: Int, width: Int) {
    image.withUnsafeMutableBufferPointer { apply(to: $0, height: height, width: width) }
  }
}

extension AugmentationPipe {
  /// Augments an array in place, and returns the labels.
  func callAsFunction(
    _ image: inout [Float], height: Int, width: Int, seed: UInt64, position: UInt64
  ) -> [Float] {
    image.withUnsafeMutableBufferPointer {
      self($0, height: height, width: width, seed: seed, position: position)
    }
  }
}
