import SystemSupport

/// The images in a folder and its sub-folders at any depth, and what else is there.
struct FolderListing {
  /// Paths of images from the folder, in no order.
  private(set) var names: [String] = []
  /// What is there and is no image.
  private(set) var leftOut = LeftOut()
  /// Names that were seen, of any kind.
  private(set) var found = 0
  private let path: String

  /// Deeper than this a link leads back to a folder above, and would never end.
  private static let depthLimit = 32

  /// Lists a folder.
  ///
  /// - Parameter inside: whether only this sub-folder of it is looked at, empty: all.
  init(path: String, inside part: String = "") throws {
    self.path = path
    try add(part, depth: 0)
  }

  private mutating func add(_ part: String, depth: Int) throws {
    let folder = part.isEmpty ? path : Files.join(path, part)
    guard depth < Self.depthLimit else {
      throw FileError.unreadable(
        path: folder,
        reason: "its folders are \(Self.depthLimit) deep, so a link leads back up")
    }
    for item in try Files.items(in: folder) {
      found += 1
      let name = part.isEmpty ? item.name : "\(part)/\(item.name)"
      if item.isHidden {
        leftOut.add("hidden")
      } else if item.kind == .folder {
        try add(name, depth: depth + 1)
      } else if item.kind == nil {
        leftOut.add("that are no files")
      } else if ImageNames.isImage(name, start: { Files.start(of: Files.join(path, name), 8) }) {
        names.append(name)
      } else if !ImageNames.isRecord(name) {
        leftOut.add(name: name)
      }
    }
  }
}
