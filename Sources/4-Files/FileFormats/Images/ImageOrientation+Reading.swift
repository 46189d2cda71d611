import Foundation
import Images
import SystemSupport

/// The orientation is looked for where Pillow's `ImageOps.exif_transpose` (13.0) finds it: in a
/// JPEG's EXIF segments, in a PNG's eXIf chunk or, without one, in the text `Raw profile type exif`
/// as ImageMagick writes it; and where EXIF has no such tag, in XMP.
extension ImageOrientation {
  /// The orientation that a file states; `upright` where it says nothing, or something that is not
  /// in the standard.
  static func of(_ bytes: Data, _ format: EncodedImage.Format) -> ImageOrientation {
    let (exif, xmp) = format == .jpeg ? ofJPEG(ByteReader(bytes)) : ofPNG(ByteReader(bytes))
    let value = exif.flatMap { inTIFF(ByteReader($0)) } ?? xmp.flatMap { inXMP($0) }
    return value.flatMap(ImageOrientation.init(rawValue:)) ?? .upright
  }

  /// What stands before EXIF in a JPEG, and sometimes elsewhere too.
  private static let exifMark = Data("Exif\0\0".utf8)

  /// EXIF and XMP of a JPEG. Segments follow one another up to the first scan (0xDA).
  private static func ofJPEG(_ file: ByteReader) -> (exif: Data?, xmp: Data?) {
    var (at, exif, xmp): (Int, Data?, Data?) = (2, nil, nil)
    while let mark = file.big(at, 2), mark >= 0xFF00, mark != 0xFFDA {
      // Fill bytes before a marker.
      if mark == 0xFFFF {
        at += 1
        continue
      }
      guard let size = file.big(at + 2, 2), size >= 2 else { break }
      if mark == 0xFFE1, let segment = file.slice(at + 4, size - 2) {
        if segment.starts(with: exifMark) {
          exif = (exif ?? Data()) + segment.dropFirst(exifMark.count)
        } else if segment.starts(with: Data("http://ns.adobe.com/xap/1.0/\0".utf8)) {
          xmp = segment
        }
      }
      at += 2 + size
    }
    return (exif, xmp)
  }

  /// EXIF and XMP of a PNG; the last chunk of a kind counts.
  private static func ofPNG(_ file: ByteReader) -> (exif: Data?, xmp: Data?) {
    var (at, exif, profile, xmp): (Int, Data?, Data?, Data?) = (8, nil, nil, nil)
    while let size = file.big(at, 4), let kind = file.slice(at + 4, 4) {
      let kind = String(decoding: kind, as: UTF8.self)
      if kind == "IEND" { break }
      if kind == "eXIf" {
        exif = file.slice(at + 8, size)
      } else if let content = ["tEXt", "zTXt", "iTXt"].contains(kind)
        ? file.slice(at + 8, size) : nil, let (key, text) = text(of: content, kind)
      {
        switch key {
        case "Raw profile type exif": profile = text
        case "XML:com.adobe.xmp": xmp = text
        case "exif" where kind == "tEXt": exif = text
        default: break
        }
      }
      at += 12 + size
    }
    return (exif ?? profile.flatMap(rawProfile), xmp)
  }

  /// Key and text of a text chunk; nil where it is none, or its text has another key than those that
  /// matter here.
  private static func text(of chunk: Data, _ kind: String) -> (String, Data)? {
    guard let end = chunk.firstIndex(of: 0) else { return nil }
    let key = String(decoding: chunk[..<end], as: UTF8.self)
    guard ["Raw profile type exif", "XML:com.adobe.xmp", "exif"].contains(key) else { return nil }
    var rest = chunk[end...].dropFirst()
    var isPacked = kind == "zTXt"
    if isPacked {
      // The method: 0 is deflate.
      guard rest.popFirst() == 0 else { return nil }
    } else if kind == "iTXt" {
      guard let flag = rest.popFirst(), let method = rest.popFirst(), flag == 0 || method == 0
      else { return nil }
      isPacked = flag != 0
      // Language, and key in that language.
      for _ in 0..<2 {
        guard let end = rest.firstIndex(of: 0) else { return nil }
        rest = rest[end...].dropFirst()
      }
    }
    return isPacked ? InflateStream.unpackText(rest).map { (key, $0) } : (key, Data(rest))
  }

  /// The bytes of `\nexif\n     134\n45786966...`.
  private static func rawProfile(_ text: Data) -> Data? {
    let lines = text.split(separator: 0x0A, omittingEmptySubsequences: false).dropFirst(3)
    var (bytes, high): (Data, UInt8?) = (Data(), nil)
    for character in lines.joined() where !" \t\r".utf8.contains(character) {
      guard let digit = Character(Unicode.Scalar(character)).hexDigitValue else { return nil }
      if let first = high {
        bytes.append(first << 4 | UInt8(digit))
        high = nil
      } else {
        high = UInt8(digit)
      }
    }
    return high == nil ? bytes : nil
  }

  /// Bytes of a value by its type in TIFF.
  private static let sizes = [
    1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4,
  ]

  /// The tag in the first directory; the first one where there are several.
  private static func inTIFF(_ file: ByteReader) -> Int? {
    var tiff = file
    // Some writers put the mark of a JPEG's segment here, too, even twice.
    for _ in 0..<2 {
      if let rest = tiff.after(exifMark) { tiff = rest }
    }
    let isLittle: Bool
    switch tiff.big(0, 4) {
    case 0x4949_2A00, 0x4949_002A: isLittle = true
    case 0x4D4D_002A, 0x4D4D_2A00: isLittle = false
    default: return nil
    }
    func number(_ at: Int, _ count: Int) -> Int? {
      isLittle ? tiff.little(at, count) : tiff.big(at, count)
    }
    guard let directory = number(4, 4), let entries = number(directory, 2) else { return nil }
    for entry in 0..<entries {
      let at = directory + 2 + 12 * entry
      guard let tag = number(at, 2), let type = number(at + 2, 2), let count = number(at + 4, 4),
        number(at + 8, 4) != nil
      else { return nil }
      guard tag == 0x0112, let size = sizes[type], count > 0,
        let place = size * count <= 4 ? at + 8 : number(at + 8, 4),
        tiff.slice(place, size * count) != nil
      else { continue }
      // Of several values the first one counts. Texts, fractions and bytes say nothing.
      return [3, 4, 6, 8, 9, 13].contains(type) ? number(place, size) : 0
    }
    return nil
  }

  private static func inXMP(_ text: Data) -> Int? {
    var rest = text
    let name = Data("tiff:Orientation".utf8)
    while let place = rest.firstRange(of: name) {
      rest = rest[place.upperBound...]
      for opening in ["=\"", ">"] where rest.starts(with: Array(opening.utf8)) {
        let digit = rest.dropFirst(opening.utf8.count).first.map { Int($0) - 0x30 }
        if let digit, (0...9).contains(digit) { return digit }
      }
    }
    return nil
  }
}

extension InflateStream {
  /// Texts of more than this are not looked at; Pillow refuses them.
  private static let textLimit = 1 << 20

  /// Text behind the header of zlib; nil where it is damaged or too long.
  fileprivate static func unpackText(_ packed: Data) -> Data? {
    guard let stream = try? InflateStream(packed.dropFirst(2), name: "text", archive: "")
    else { return nil }
    return (try? stream.readToEnd(atMost: textLimit)).map { Data($0) }
  }
}
