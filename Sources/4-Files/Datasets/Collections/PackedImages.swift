import FileFormats
import Foundation
import SystemSupport

/// Packs a folder's images into one file, one after the other.
package enum PackedImages {
  /// How the file is laid out.
  package enum Format: String, Sendable, CaseIterable {
    /// The files as they are, under the paths they have in the folder, stored.
    case zip
    /// Their pixels in ADM's layout (`ImageArrayWriter`); all of one size.
    case npz

    /// The format that a path's ending asks for; nil for a folder.
    package init?(path: String) {
      guard let format = Format.allCases.first(where: { path.hasSuffix(".\($0.rawValue)") }) else {
        return nil
      }
      self = format
    }
  }

  /// Packs `names` in this order. The result's bytes are a function of the images, their names and
  /// their order. A file that had this path stays until the new one is complete.
  ///
  /// - Parameters:
  ///   - names: paths relative to `folder`, such as `000000/000012.png`, at least one.
  ///   - labels: one class per image, for `arr_1` of an `.npz`.
  ///   - labelFile: bytes of a .zip's `dataset.json`, which follows the images.
  ///   - progress: called after each image with the number of images done.
  /// - Throws: `ImageError.brokenImage` for a file that is no whole PNG, `ImageError.mixedSizes` for
  ///   an `.npz`, and those of reading and writing.
  package static func pack(
    _ names: [String], in folder: String, labels: [Int]? = nil, labelFile: Data? = nil,
    as format: Format, to path: String, progress: (Int) -> Void = { _ in }
  ) throws {
    precondition(
      !names.isEmpty && labels?.count ?? names.count == names.count,
      "PackedImages.pack: \(names.count) images and \(labels?.count ?? 0) labels for \(path)")
    switch format {
    case .zip:
      let zip = try ZipWriter(path)
      for (index, name) in names.enumerated() {
        let path = Files.join(folder, name)
        let file = try EncodedImage(path: path)
        guard file.bytes.withUnsafeBytes({ ImageFile.isWholePNG($0) }) else {
          throw ImageError.brokenImage(path: path, reason: "it is cut short or damaged")
        }
        try zip.add(name, file.bytes)
        progress(index + 1)
      }
      if let labelFile { try zip.add(LabelList.fileName, labelFile) }
      try zip.finish()
    case .npz:
      let first = try EncodedImage(path: Files.join(folder, names[0])).size()
      let writer = try ImageArrayWriter(
        path, count: names.count, size: first)
      for (index, name) in names.enumerated() {
        try writer.append(ImageFile.read(Files.join(folder, name)), name: name)
        progress(index + 1)
      }
      try writer.finish(labels: labels)
    }
  }
}
