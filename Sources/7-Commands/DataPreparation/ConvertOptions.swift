import CommandSupport
import Datasets
import FileFormats

/// `diffit data convert`.
package struct ConvertOptions: Equatable, Sendable {
  package typealias Transform = ImageTransform
  package typealias Filter = ResampleFilter

  /// A data set of any kind.
  package let source: String
  /// A `.zip`, or a folder.
  package let output: String
  /// Pixels a side.
  package let resolution: Int
  package let transform: Transform
  /// Of `center-crop` and `stretch`.
  package let filter: Filter
  /// Pictures that may be left out because they cannot be decoded.
  package let maxBroken: Int
  /// Take the first pictures alone. Nil: all.
  package let maxImages: Int?
  /// A file for the results; `-`: standard output.
  package let json: String?

  /// - Parameter filter: nil: `lanczos`.
  package init(
    source: String, output: String, resolution: Int,
    transform: Transform = .centerCropDhariwal, filter: Filter? = nil, maxBroken: Int = 0,
    maxImages: Int? = nil, json: String? = nil
  ) throws(OptionError) {
    let other = [".npz", ".npy", ".tar", ".gz", ".png"].contains { output.hasSuffix($0) }
    try require(!output.isEmpty && !other, "--out", output, expected: "a folder, or a .zip file")
    try require(
      (1...8192).contains(resolution), "--resolution", resolution, expected: "1 to 8192 pixels")
    try require(
      filter == nil || transform != .centerCropDhariwal, "--filter", filter?.rawValue ?? "",
      expected: "none with --transform \(transform.rawValue), which has its own two filters")
    try require(maxBroken >= 0, "--max-broken", maxBroken, expected: "0 or more")
    try require(
      maxImages.map { (1...PackedLayout.imageLimit).contains($0) } ?? true, "--max-images",
      maxImages ?? 0, expected: "1 to \(PackedLayout.imageLimit)")
    // A folder's name may be given with a slash behind it; the work folder lies beside it.
    var output = output
    while output.count > 1 && output.hasSuffix("/") { output.removeLast() }
    (self.source, self.output, self.resolution) = (source, output, resolution)
    (self.transform, self.filter) = (transform, filter ?? .lanczos)
    (self.maxBroken, self.maxImages, self.json) = (maxBroken, maxImages, json)
  }
}

/// `diffit data info`.
package struct DataInfoOptions: Equatable, Sendable {
  /// A data set of any kind.
  package let source: String
  /// Decode every picture instead of reading its header.
  package let decodes: Bool
  /// A file for the results; `-`: standard output.
  package let json: String?

  package init(source: String, decodes: Bool = false, json: String? = nil) {
    (self.source, self.decodes, self.json) = (source, decodes, json)
  }
}
