/// How a camera was held: what has to be done to the stored pixels so that the image is upright.
///
/// Source: EXIF 2.3, tag 0x0112; the raw values are that tag's.
package enum ImageOrientation: Int, CaseIterable {
  /// As it should be seen.
  case upright = 1
  /// What mends it: turning it over or around.
  case mirrored, upsideDown, flipped, transposed, quarterRight, transverse, quarterLeft

  /// Whether width and height change places.
  package var swapsSides: Bool { rawValue >= ImageOrientation.transposed.rawValue }

  /// The image as it should be seen.
  ///
  /// - Parameter pixels: [height, width, 3] as stored.
  package func upright(_ pixels: [UInt8], width: Int, height: Int) -> RGBImage {
    if self == .upright { return RGBImage(width: width, height: height, pixels: pixels) }
    let (outWidth, outHeight) = swapsSides ? (height, width) : (width, height)
    // Where pixel (0, 0) comes from, and the steps to the right and downwards, in pixels.
    let (right, bottom) = (width - 1, (height - 1) * width)
    let (start, across, down) =
      switch self {
      case .upright: (0, 1, width)
      case .mirrored: (right, -1, width)
      case .upsideDown: (bottom + right, -1, -width)
      case .flipped: (bottom, 1, -width)
      case .transposed: (0, width, 1)
      case .quarterRight: (bottom, -width, 1)
      case .transverse: (bottom + right, -width, -1)
      case .quarterLeft: (right, width, -1)
      }
    let turned = [UInt8](unsafeUninitializedCapacity: pixels.count) { to, count in
      var at = 0
      for y in 0..<outHeight {
        for x in 0..<outWidth {
          let from = (start + x * across + y * down) * 3
          for channel in 0..<3 { to[at + channel] = pixels[from + channel] }
          at += 3
        }
      }
      count = at
    }
    return RGBImage(width: outWidth, height: outHeight, pixels: turned)
  }
}

extension RGBImage {
  /// Left and right changed.
  package var mirrored: RGBImage {
    ImageOrientation.mirrored.upright(pixels, width: width, height: height)
  }
}
