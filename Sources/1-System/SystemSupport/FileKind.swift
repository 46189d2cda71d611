/// What a file is by its first bytes.
package enum FileKind: Equatable, Sendable, CaseIterable {
  /// It has no bytes.
  case empty
  /// A header's length, then the header's JSON.
  case safetensors
  /// A zip as `torch.save` writes it.
  case pytorch
  /// A Python pickle, as `torch.save` wrote before version 1.6.
  case pickle
  /// A few lines of text that stand for a large file in a git repository.
  case pointer
  /// HTML or XML, such as a server's page for who is not logged in.
  case page
  /// A zip, `.npz` files too.
  case zip
  /// One NumPy array.
  case numpy
  case gzip, bzip2, xz, zstd
  case tar
  case hdf5
  case png, jpeg
  /// Text that begins as a JSON object or list does.
  case json
  /// Nothing of these.
  case other

  /// So many bytes tell the kind.
  package static let startSize = 512

  /// Looks at the first `startSize` bytes, or as many as there are.
  package init(_ bytes: some Sequence<UInt8>) {
    let start = Array(bytes.prefix(Self.startSize))
    func begins(_ magic: [UInt8], at offset: Int = 0) -> Bool {
      start.dropFirst(offset).starts(with: magic)
    }
    let text = start.drop { [0xEF, 0xBB, 0xBF, 0x20, 0x09, 0x0A, 0x0D].contains($0) }
    let word = String(decoding: text.prefix(14), as: UTF8.self).lowercased()
    self =
      if start.isEmpty {
        .empty
      } else if Self.isSafetensors(start) {
        .safetensors
      } else if begins([0x50, 0x4B, 3, 4]) || begins([0x50, 0x4B, 5, 6]) {
        Self.isPyTorch(start) ? .pytorch : .zip
      } else if begins([0x93] + Array("NUMPY".utf8)) {
        .numpy
      } else if begins([0x1F, 0x8B]) {
        .gzip
      } else if begins(Array("BZh".utf8)) {
        .bzip2
      } else if begins([0xFD] + Array("7zXZ".utf8) + [0]) {
        .xz
      } else if begins([0x28, 0xB5, 0x2F, 0xFD]) {
        .zstd
      } else if begins([0x89] + Array("HDF\r\n".utf8)) {
        .hdf5
      } else if begins([0x89] + Array("PNG\r\n".utf8)) {
        .png
      } else if begins([0xFF, 0xD8, 0xFF]) {
        .jpeg
      } else if start.count > 2, start[0] == 0x80, (2...5).contains(start[1]) {
        .pickle
      } else if begins(Array("ustar".utf8), at: 257) {
        .tar
      } else if begins(Array("version https://git-lfs".utf8)) {
        .pointer
      } else if ["<!doctype", "<html", "<?xml"].contains(where: word.hasPrefix) {
        .page
      } else if let first = text.first, [UInt8(ascii: "{"), UInt8(ascii: "[")].contains(first) {
        .json
      } else {
        .other
      }
  }

  /// Looks at a file's first bytes.
  package init(ofFile path: String) throws(FileError) {
    let file = try InputFile(path)
    self.init(try file.bytes(0..<min(try file.size, Self.startSize)))
  }

  /// A header's length that a reader would take, and the brace that its JSON begins with.
  private static func isSafetensors(_ start: [UInt8]) -> Bool {
    start.count > 8 && start[8] == UInt8(ascii: "{") && start[4..<8].allSatisfy { $0 == 0 }
      && start[3] < 8
  }

  /// Whether a zip's first entry is one of those that PyTorch begins its archives with.
  private static func isPyTorch(_ start: [UInt8]) -> Bool {
    guard start.count > 30 else { return false }
    let size = Int(start[26]) | Int(start[27]) << 8
    let name = String(decoding: start.dropFirst(30).prefix(size), as: UTF8.self)
    return ["/data.pkl", "/version", "/byteorder"].contains(where: name.hasSuffix)
  }

  /// For people: `a Git LFS pointer`.
  package var name: String {
    switch self {
    case .empty: "an empty file"
    case .safetensors: "a safetensors file"
    case .pytorch: "a PyTorch archive (a zip of pickles)"
    case .pickle: "a Python pickle, as old versions of PyTorch write"
    case .pointer: "a Git LFS pointer, which only stands for the file"
    case .page: "a web page (HTML or XML)"
    case .zip: "a zip archive"
    case .numpy: "a NumPy array (.npy)"
    case .gzip: "compressed by gzip"
    case .bzip2: "compressed by bzip2"
    case .xz: "compressed by xz"
    case .zstd: "compressed by zstd"
    case .tar: "a tar archive"
    case .hdf5: "an HDF5 file"
    case .png: "a PNG image"
    case .jpeg: "a JPEG image"
    case .json: "text in JSON"
    case .other: "of no known kind"
    }
  }
}
