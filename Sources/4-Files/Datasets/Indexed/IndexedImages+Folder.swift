import SystemSupport

extension IndexedImages {
  /// A folder with one sub-folder per class, each with JPEG and PNG files at any depth, such as
  /// ILSVRC's `train`, as torchvision's `ImageFolder` takes it.
  ///
  /// Classes are the sub-folders' names in byte order. Images follow class by class, in the byte
  /// order of their paths.
  ///
  /// - Throws: `DatasetError.noClasses`, `.emptyClass`, and `.labelsBelow` for the folder above a
  ///   packed set.
  package init(classFolders path: String) throws {
    guard try Files.kind(path) == .folder else {
      throw FileError.unreadable(
        path: path, reason: "it is a file, expected a folder of class folders")
    }
    var classNames: [String] = []
    var leftOut = LeftOut()
    for item in try Files.items(in: path) {
      if item.isHidden {
        leftOut.add("hidden")
      } else if item.kind == .folder {
        classNames.append(item.name)
      } else if ImageNames.isImage(item.name) {
        leftOut.add("outside of class folders")
      } else if !ImageNames.isRecord(item.name) {
        leftOut.add(name: item.name)
      }
    }
    guard !classNames.isEmpty else { throw DatasetError.noClasses(path: path) }
    var entries: [Entry] = []
    for (label, className) in classNames.enumerated() {
      let folder = Files.join(path, className)
      let labels = Files.join(folder, LabelList.fileName)
      if Files.kindIfPresent(labels) == .file { throw DatasetError.labelsBelow(path: labels) }
      let listing = try FolderListing(path: path, inside: className)
      guard !listing.names.isEmpty else {
        throw DatasetError.emptyClass(path: folder, found: listing.leftOut)
      }
      entries += FileName.sorted(listing.names, by: \.self).map { Entry(name: $0, label: label) }
      leftOut.add(listing.leftOut)
    }
    self.init(
      path: path, layout: .folder, classNames: classNames, entries: entries, store: .folder,
      leftOut: leftOut)
  }

  /// Throws where a folder has images both beside and in several sub-folders: it is unknown whether
  /// these are classes, and to take all images as one would lose them.
  static func refuseStrays(_ items: [Files.Item], in path: String) throws {
    let strays = items.filter { !$0.isHidden && $0.kind == .file && ImageNames.isImage($0.name) }
    guard let first = strays.first else { return }
    let folders = try items.filter { item in
      guard !item.isHidden && item.kind == .folder else { return false }
      return try !FolderListing(path: path, inside: item.name).names.isEmpty
    }
    if folders.count > 1 {
      throw DatasetError.strayImages(
        path: path, count: strays.count, first: first.name, folders: folders.count)
    }
  }
}
