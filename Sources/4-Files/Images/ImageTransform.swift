import TensorCore

/// How an image of any size becomes a square one.
///
/// Source: the transforms of EDM's dataset tool; `centerCropDhariwal` is ADM's preprocessing of
/// ImageNet.
package enum ImageTransform: String, Codable, CaseIterable, Sendable {
  /// Halved by box means as long as the shorter side stays at least `side`, then brought to `side`
  /// by the bicubic filter, and cut to its centre.
  case centerCropDhariwal = "center-crop-dhariwal"
  /// The largest centred square, resized.
  case centerCrop = "center-crop"
  /// The whole image, resized without regard to its proportions.
  case stretch

  /// - Parameters:
  ///   - side: of the result in pixels.
  ///   - filter: of `centerCrop` and `stretch`; `centerCropDhariwal` has its own filters.
  package func callAsFunction(_ image: RGBImage, side: Int, filter: ResampleFilter) -> RGBImage {
    invariant(side > 0, "ImageTransform: side \(side)")
    let square = ImageSize(width: side, height: side)
    switch self {
    case .stretch:
      return image.resampled(to: square, filter)
    case .centerCrop:
      let crop = min(image.width, image.height)
      return image.cropped(
        left: (image.width - crop) / 2, top: (image.height - crop) / 2, width: crop, height: crop
      ).resampled(to: square, filter)
    case .centerCropDhariwal:
      var image = image
      while min(image.width, image.height) >= 2 * side {
        image = image.resampled(
          to: ImageSize(width: image.width / 2, height: image.height / 2), .box)
      }
      let scale = Double(side) / Double(min(image.width, image.height))
      let size = ImageSize(
        width: Self.rounded(Double(image.width) * scale),
        height: Self.rounded(Double(image.height) * scale))
      let (left, top) = ((size.width - side) / 2, (size.height - side) / 2)
      return image.resampled(
        to: size, .bicubic, columns: left..<left + side, rows: top..<top + side)
    }
  }

  /// Halves to the even side, as Python rounds.
  private static func rounded(_ value: Double) -> Int { Int(value.rounded(.toNearestOrEven)) }
}
