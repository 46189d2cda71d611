/// Endings that say what a file holds. A name with another ending, or none, says nothing.
private let knownEndings: Set<String> = [
  "avif", "bmp", "csv", "gif", "gz", "heic", "jfif", "jpeg", "jpg", "json", "mp4", "npy", "npz",
  "pdf", "png", "pt", "safetensors", "svg", "tar", "tgz", "tif", "tiff", "txt", "webp", "yaml",
  "zip",
]

/// Throws where the name of an output says another format than the one that is written: a reader
/// would take it at its word, and fail.
///
/// - Parameters:
///   - option: as it is written, `--grid`.
///   - endings: what the name may end in, such as `.png`. Names that say nothing are taken, too.
///   - expected: the names that are taken, in words.
package func requireFormat(
  _ path: String, _ option: String, _ endings: [String], expected: String
) throws(OptionError) {
  let name = path.split(separator: "/").last ?? ""
  let ending = name.split(separator: ".").last.map { $0.lowercased() } ?? ""
  let isKnown = name.contains(".") && knownEndings.contains(ending)
  try require(
    !isKnown || endings.contains { path.hasSuffix($0) }, option, path, expected: expected)
}

/// Throws where the name of an image that is written as PNG says another format.
package func requirePNG(_ path: String, _ option: String) throws(OptionError) {
  try requireFormat(
    path, option, [".png", ".PNG"], expected: "a name ending in .png: PNG is written")
}
