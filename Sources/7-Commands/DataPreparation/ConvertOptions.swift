import CommandSupport
import Datasets
import FileFormats
import Images

/// The options of `diffit data convert`.
package struct ConvertOptions: Equatable, Sendable {
  /// How an image becomes a square.
  package typealias Transform = ImageTransform
  /// How an image is resized.
  package typealias Filter = ResampleFilter

  /// A data set of any kind.
  package let source: String
  /// A `.zip`, or a folder.
  package let output: String
  /// Side of the images in the result, in pixels.
  package let resolution: Int
  /// How an image becomes a square.
  package let transform: Transform
  /// The filter of `center-crop` and `stretch`.
  package let filter: Filter
  /// The most images that may be left out because they cannot be decoded.
  package let maxBroken: Int
  /// Only so many images from the first on are taken. Nil: all.
  package let maxImages: Int?
  /// A file for the results; `-`: standard output.
  package let json: String?

  /// - Parameter filter: nil: `lanczos`.
  package init(
    source: String, output: String, resolution: Int,
    transform: Transform = .centerCropDhariwal, filter: Filter? = nil, maxBroken: Int = 0,
    maxImages: Int? = nil, json: String? = nil
  ) throws(OptionError) {
    try require(!output.isEmpty, "--out", "\"\"", expected: "a folder, or a .zip file")
    try requireFormat(output, "--out", [".zip"], expected: "a folder, or a .zip file")
    try require(
      (1...8192).contains(resolution), "--resolution", resolution, expected: "1 to 8192 pixels")
    try require(
      filter == nil || transform != .centerCropDhariwal, "--filter", filter?.rawValue ?? "",
      expected: "none with --transform \(transform.rawValue), which has its own two filters")
    try require(maxBroken >= 0, "--max-broken", maxBroken, expected: "0 or more")
    try require(
      maxImages.map { (1...PackedLayout.imageLimit).contains($0) } ?? true, "--max-images",
      maxImages ?? 0, expected: "1 to \(PackedLayout.imageLimit)")
    // A folder may be given with a slash at the end; the work folder is beside it, so the slash is
    // removed.
    var output = output
    while output.count > 1 && output.hasSuffix("/") { output.removeLast() }
    (self.source, self.output, self.resolution) = (source, output, resolution)
    (self.transform, self.filter) = (transform, filter ?? .lanczos)
    (self.maxBroken, self.maxImages, self.json) = (maxBroken, maxImages, json)
  }
}

/// The options of `diffit data info`.
package struct DataInfoOptions: Equatable, Sendable {
  /// A data set of any kind.
  package let source: String
  /// Whether to decode every image instead of reading only its header.
  package let decodes: Bool
  /// A file for the results; `-`: standard output.
  package let json: String?

  /// Options with these values.
  package init(source: String, decodes: Bool = false, json: String? = nil) {
    (self.source, self.decodes, self.json) = (source, decodes, json)
  }
}
