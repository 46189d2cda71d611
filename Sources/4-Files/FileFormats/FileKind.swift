import Foundation

/// What a file is by its first bytes.
package enum FileKind: Equatable {
  case zip, numpy, gzip, tar, other

  /// Looks at the first 262 bytes, or as many as there are.
  package init(_ bytes: Data) {
    let start = Array(bytes.prefix(8))
    self =
      if start.starts(with: [0x50, 0x4B, 3, 4]) || start.starts(with: [0x50, 0x4B, 5, 6]) {
        .zip
      } else if start.starts(with: [0x93] + Array("NUMPY".utf8)) {
        .numpy
      } else if start.starts(with: [0x1F, 0x8B]) {
        .gzip
      } else if bytes.dropFirst(257).starts(with: Array("ustar".utf8)) {
        .tar
      } else {
        .other
      }
  }
}
