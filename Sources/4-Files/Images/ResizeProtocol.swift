import TensorCore

/// How 8-bit images are brought to the 299 x 299 floats that Inception reads. Results of different
/// protocols cannot be compared; the name is part of every result.
package enum ResizeProtocol: String, CaseIterable, Sendable {
  /// TensorFlow 1's bilinear filter, as the 2015 graph, EDM, ADM and torch-fidelity have it: pixel
  /// `i` is taken at i * in / out, without a half-pixel shift and without antialiasing; then (x -
  /// 128) / 128.
  case tf1
  /// Pillow's bicubic filter, channel by channel in floats, antialiased where it shrinks and
  /// clipped to 0...255, as clean-fid has it; then (x - 128) / 128.
  case clean
  /// PyTorch's bilinear filter with half-pixel centres and without antialiasing, on x / 255, as
  /// pytorch-fid has it; then 2 x - 1.
  case pytorchFID = "pytorch-fid"

  /// Pixels per side of the input.
  package static let side = 299

  /// - Returns: [images.count, 299, 299, 3], f32. Images may be of any size, each of its own.
  package func inputs(_ images: ArraySlice<RGBImage>, on context: ComputeContext) -> Tensor {
    let side = ResizeProtocol.side
    let result = Tensor([images.count, side, side, 3], on: context)
    result.withFloats { to in
      context.threads.forRanges(of: images.count * side) { rows in
        for image in rows.lowerBound / side...(rows.upperBound - 1) / side {
          let first = image * side
          let range =
            max(rows.lowerBound, first) - first..<min(rows.upperBound, first + side) - first
          fill(range, of: images[images.startIndex + image], to + first * side * 3)
        }
      }
    }
    return result
  }

  /// Rows `rows` of an image's result, whose first element is at `to`.
  private func fill(_ rows: Range<Int>, of image: RGBImage, _ to: Floats) {
    image.pixels.withUnsafeBufferPointer { pixels in
      switch self {
      case .tf1:
        let filters = BilinearFilters(image, BilinearFilter.corners)
        filters.resize(pixels, rows, to, pixel: { Float($0) }, result: { ($0 - 128) / 128 })
      case .pytorchFID:
        let filters = BilinearFilters(image, BilinearFilter.centres)
        filters.resize(pixels, rows, to, pixel: { Float($0) / 255 }, result: { 2 * $0 - 1 })
      case .clean:
        let filters = BicubicFilters(image, side: ResizeProtocol.side)
        filters.resize(pixels, rows, to) { (min(max($0, 0), 255) - 128) / 128 }
      }
    }
  }
}
