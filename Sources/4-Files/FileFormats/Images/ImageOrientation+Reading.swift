import Foundation
import Images

/// It is looked for where Pillow's `ImageOps.exif_transpose` finds it: in a JPEG's EXIF segment or,
/// where that does not tell, its XMP segment, and in a PNG's eXIf chunk.
extension ImageOrientation {
  /// The orientation that a file states; `upright` where it says nothing, or something that is not
  /// in the standard.
  static func of(_ bytes: Data, _ format: EncodedImage.Format) -> ImageOrientation {
    let value =
      switch format {
      case .jpeg: inJPEG(ByteReader(bytes))
      case .png: inPNG(ByteReader(bytes))
      }
    return value.flatMap(ImageOrientation.init(rawValue:)) ?? .upright
  }

  private static func inJPEG(_ file: ByteReader) -> Int? {
    var (at, fromXMP): (Int, Int?) = (2, nil)
    // Segments follow one another up to the first scan (0xDA).
    while let mark = file.big(at, 2), mark >= 0xFF00, mark != 0xFFDA {
      // Fill bytes before a marker.
      if mark == 0xFFFF {
        at += 1
        continue
      }
      guard let size = file.big(at + 2, 2), size >= 2 else { break }
      if mark == 0xFFE1, let segment = file.slice(at + 4, size - 2) {
        if segment.starts(with: Array("Exif\0\0".utf8)) {
          if let value = inTIFF(ByteReader(segment.dropFirst(6))) { return value }
        } else if segment.starts(with: Array("http://ns.adobe.com/xap/1.0/\0".utf8)) {
          fromXMP = fromXMP ?? inXMP(segment)
        }
      }
      at += 2 + size
    }
    return fromXMP
  }

  private static func inPNG(_ file: ByteReader) -> Int? {
    var at = 8
    while let size = file.big(at, 4), let kind = file.slice(at + 4, 4) {
      if kind.elementsEqual("eXIf".utf8) {
        return file.slice(at + 8, size).flatMap { inTIFF(ByteReader($0)) }
      }
      at += 12 + size
    }
    return nil
  }

  /// The tag in the first directory.
  private static func inTIFF(_ tiff: ByteReader) -> Int? {
    let isLittle: Bool
    switch tiff.big(0, 4) {
    case 0x4949_2A00: isLittle = true
    case 0x4D4D_002A: isLittle = false
    default: return nil
    }
    func number(_ at: Int, _ count: Int) -> Int? {
      isLittle ? tiff.little(at, count) : tiff.big(at, count)
    }
    guard let directory = number(4, 4), let entries = number(directory, 2) else { return nil }
    for entry in 0..<entries {
      let at = directory + 2 + 12 * entry
      guard let tag = number(at, 2), let type = number(at + 2, 2) else { return nil }
      if tag == 0x0112 { return number(at + 8, type == 4 ? 4 : 2) }
    }
    return nil
  }

  private static func inXMP(_ segment: Data) -> Int? {
    guard let name = segment.firstRange(of: Data("tiff:Orientation".utf8)) else { return nil }
    let rest = segment[name.upperBound...].prefix(3)
    for opening in ["=\"", ">"] where rest.starts(with: Array(opening.utf8)) {
      return rest.dropFirst(opening.utf8.count).first.map { Int($0) - 0x30 }
    }
    return nil
  }
}

/// Unsigned numbers in bytes; nil outside them.
struct ByteReader {
  private let bytes: Data

  init(_ bytes: Data) { self.bytes = bytes }

  /// `count` bytes from `offset` on, the most significant first.
  func big(_ offset: Int, _ count: Int) -> Int? {
    slice(offset, count)?.reduce(0) { $0 << 8 | Int($1) }
  }

  /// `count` bytes from `offset` on, the least significant first.
  func little(_ offset: Int, _ count: Int) -> Int? {
    slice(offset, count)?.reversed().reduce(0) { $0 << 8 | Int($1) }
  }

  func slice(_ offset: Int, _ count: Int) -> Data? {
    guard offset >= 0 && count >= 0 && offset <= bytes.count - count else { return nil }
    let start = bytes.startIndex + offset
    return bytes[start..<start + count]
  }
}
