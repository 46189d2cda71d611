import TensorCore

/// A range of consecutive channels of NHWC images: the part of a wider tensor that a layer reads or
/// writes. Branches of a network write their channels side by side into one tensor, so that nothing
/// has to be copied to concatenate them.
public struct ImageChannels {
  /// The images with all their channels, [B, H, W, C].
  public let images: Tensor
  /// The channels, within 0..<C.
  public let range: Range<Int>

  /// Some channels of images [B, H, W, C].
  ///
  /// - Parameters:
  ///   - images: the images.
  ///   - range: the channels; by default all.
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
  /// Bytes of only these channels.
  var byteCount: Int { shape.rows * range.count * dtype.size }
  /// Bytes from the first element of the images to the first of these channels.
  var byteOffset: Int { range.lowerBound * dtype.size }
}
