import FileFormats
import SystemSupport

/// Which files are images, and the parts of their names, the same in folders and archives.
enum ImageNames {
  /// What Pillow takes for JPEG or PNG; the content decides what a file is.
  static let endings: Set<String> = ["jpg", "jpeg", "jpe", "jfif", "mpo", "png", "apng"]
  /// Records of this program's own beside its images, which nobody misses.
  private static let records: Set<String> = ["dataset.json", "samples.json", "convert.json"]

  /// Whether a name says that a file is an image.
  static func isImage(_ name: String) -> Bool { endings.contains(ending(name)) }

  /// Whether a file is an image: by its name, or by its first bytes where the name has no ending.
  ///
  /// - Parameter start: the first eight bytes, which are looked at only then.
  static func isImage(_ name: String, start: () throws -> some Collection<UInt8>) rethrows -> Bool {
    if isImage(name) { return true }
    return ending(name).isEmpty ? try EncodedImage.isImage(start: start()) : false
  }

  /// Whether a file is a record of this program's own.
  static func isRecord(_ name: String) -> Bool { records.contains(Files.name(name)) }

  /// Whether the file or a folder above it begins with a point.
  static func isHidden(_ name: String) -> Bool {
    let point = UInt8(ascii: ".")
    return name.utf8.split(separator: UInt8(ascii: "/")).contains { part in
      part.first == point && !part.elementsEqual([point])
    }
  }

  /// What follows the last point of a name, in small letters; empty where there is none, or where
  /// the name only begins with one.
  static func ending(_ name: String) -> String {
    let last = name.utf8[lastPart(name)...]
    guard let point = last.lastIndex(of: UInt8(ascii: ".")), point > last.startIndex else {
      return ""
    }
    return String(Substring(last[point...].dropFirst())).lowercased()
  }

  /// A name in two parts at the first point of its last part: `a/b.seg.PNG` is `a/b` and `seg.png`.
  static func splitAtFirstPoint(_ name: String) -> (key: String, ending: String) {
    let bytes = name.utf8
    guard let point = bytes[lastPart(name)...].firstIndex(of: UInt8(ascii: ".")) else {
      return (name, "")
    }
    return (
      String(Substring(bytes[..<point])),
      String(Substring(bytes[point...].dropFirst())).lowercased()
    )
  }

  /// Where the part behind the last slash begins.
  private static func lastPart(_ name: String) -> String.Index {
    let bytes = name.utf8
    return bytes.lastIndex(of: UInt8(ascii: "/")).map { bytes.index(after: $0) } ?? bytes.startIndex
  }
}
