import TensorCore

/// Consecutive channels of NHWC images: what a layer reads of a wider result, or writes of one. Branches of
/// a network that meet in one image write their channels side by side, and nothing is copied.
public struct ImageChannels {
  /// [B, H, W, C]
  public let images: Tensor
  public let range: Range<Int>

  /// - Parameter range: of the channels; all where it is not given.
  public init(_ images: Tensor, _ range: Range<Int>? = nil) {
    let shape = images.shape
    invariant(shape.rank == 4, "ImageChannels: \(shape), expected [B, H, W, C]")
    self.range = range ?? 0..<shape.channels
    invariant(
      self.range.lowerBound >= 0 && self.range.upperBound <= shape.channels,
      "ImageChannels: channels \(self.range) of \(shape)")
    self.images = images
  }

  var shape: Shape { images.shape }
  var dtype: DType { images.dtype }
  /// Bytes of these channels alone.
  var byteCount: Int { shape.rows * range.count * dtype.size }
  /// From the images' first element to the first of these.
  var byteOffset: Int { range.lowerBound * dtype.size }
}
