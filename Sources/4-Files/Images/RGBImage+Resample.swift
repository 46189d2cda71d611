import CImageIO
import TensorCore

extension RGBImage {
  /// This image brought to another size, or a part of the result.
  ///
  /// Source: Pillow's `Image.resize` for 8-bit images, to the byte: along x and then along y, with
  /// weights rounded to 22 bits behind the point and levels rounded after each axis; an axis that
  /// keeps its size is not changed.
  ///
  /// - Parameters:
  ///   - size: of the whole result.
  ///   - columns: columns of it that are wanted; nil: all.
  ///   - rows: rows of it that are wanted; nil: all.
  package func resampled(
    to size: ImageSize, _ filter: ResampleFilter, columns: Range<Int>? = nil,
    rows: Range<Int>? = nil
  ) -> RGBImage {
    let x = FixedWeights(filter, from: width, to: size.width, kept: columns)
    let y = FixedWeights(filter, from: height, to: size.height, kept: rows)
    let (outWidth, outHeight) = (x.count, y.count)
    // Only rows that the second pass reads.
    let needed = y.samples
    let narrow = [UInt8](unsafeUninitializedCapacity: needed.count * outWidth * 3) { to, count in
      pixels.withUnsafeBufferPointer { from in
        let part = UnsafeBufferPointer(
          rebasing: from[needed.lowerBound * width * 3..<needed.upperBound * width * 3])
        x.apply(alongRows: part, to, rows: needed.count, width: width)
      }
      count = needed.count * outWidth * 3
    }
    let result = [UInt8](unsafeUninitializedCapacity: outHeight * outWidth * 3) { to, count in
      narrow.withUnsafeBufferPointer { y.apply(alongColumns: $0, to, rowSize: outWidth * 3) }
      count = outHeight * outWidth * 3
    }
    return RGBImage(width: outWidth, height: outHeight, pixels: result)
  }

  /// The part of this image from column `left` and row `top` on.
  package func cropped(left: Int, top: Int, width: Int, height: Int) -> RGBImage {
    invariant(
      left >= 0 && top >= 0 && left + width <= self.width && top + height <= self.height,
      "cropped: \(width) x \(height) at \(left), \(top) of \(self.size)")
    if width == self.width && height == self.height { return self }
    var part: [UInt8] = []
    part.reserveCapacity(width * height * 3)
    for y in top..<top + height {
      let start = (y * self.width + left) * 3
      part += pixels[start..<start + width * 3]
    }
    return RGBImage(width: width, height: height, pixels: part)
  }
}

/// Weights as integers scaled by 2^22, for the loops in C.
private struct FixedWeights {
  let first: [Int32]
  let start: [Int32]
  let weights: [Int32]
  /// Input samples that the outputs are made of; `first` counts from their first.
  let samples: Range<Int>
  var count: Int { first.count }

  init(_ filter: ResampleFilter, from inputs: Int, to outputs: Int, kept: Range<Int>?) {
    let kept = kept ?? 0..<outputs
    if inputs == outputs {
      // The sample itself, exactly.
      samples = kept
      first = (0..<kept.count).map { Int32($0) }
      start = (0...kept.count).map { Int32($0) }
      weights = [Int32](repeating: 1 << 22, count: kept.count)
      return
    }
    let exact = ResampleWeights(filter, from: inputs, to: outputs, kept: kept)
    let samples = exact.samples
    self.samples = samples
    first = exact.first.map { Int32($0 - samples.lowerBound) }
    start = exact.start.map { Int32($0) }
    weights = exact.weights.map { Int32($0 * 4_194_304 + ($0 < 0 ? -0.5 : 0.5)) }
  }

  /// [rows, width, 3] -> [rows, count, 3].
  func apply(
    alongRows from: UnsafeBufferPointer<UInt8>, _ to: UnsafeMutableBufferPointer<UInt8>,
    rows: Int, width: Int
  ) {
    invariant(
      from.count == rows * width * 3 && to.count >= rows * count * 3 && samples.upperBound <= width,
      "resampled: \(from.count) bytes as \(rows) rows of \(width) pixels")
    let shifted = first.map { $0 + Int32(samples.lowerBound) }
    let status = cimage_resample_rows(
      from.baseAddress, width, rows, to.baseAddress, count, shifted, start, weights)
    invariant(status == 0, "resampled: out of memory for a row of \(width) pixels")
  }

  /// [samples.count, rowSize] -> [count, rowSize].
  func apply(
    alongColumns from: UnsafeBufferPointer<UInt8>, _ to: UnsafeMutableBufferPointer<UInt8>,
    rowSize: Int
  ) {
    invariant(
      from.count == samples.count * rowSize && to.count >= count * rowSize,
      "resampled: \(from.count) bytes as \(samples.count) rows of \(rowSize)")
    cimage_resample_columns(
      from.baseAddress, rowSize, to.baseAddress, count, first, start, weights)
  }
}
