import SystemSupport

extension IndexedImages {
  /// A folder with one sub-folder per class, each with JPEG and PNG files, such as ILSVRC's
  /// `train`.
  ///
  /// Classes are the sub-folders' names in byte order. Images follow class by class, in the byte
  /// order of their names.
  ///
  /// - Throws: `DatasetError.noClasses` and `.emptyClass`.
  package init(classFolders path: String) throws {
    guard try Files.kind(path) == .folder else {
      throw FileError.unreadable(
        path: path, reason: "it is a file, expected a folder of class folders")
    }
    var classNames: [String] = []
    for name in try Files.names(in: path)
    where Files.kindIfPresent(Files.join(path, name)) == .folder {
      classNames.append(name)
    }
    guard !classNames.isEmpty else { throw DatasetError.noClasses(path: path) }
    var entries: [Entry] = []
    for (label, className) in classNames.enumerated() {
      let folder = Files.join(path, className)
      let names = try Files.names(in: folder).filter(ImageNames.isImage)
      guard !names.isEmpty else { throw DatasetError.emptyClass(path: folder) }
      for name in names { entries.append(Entry(name: "\(className)/\(name)", label: label)) }
    }
    self.init(
      path: path, layout: .folder, classNames: classNames, entries: entries, store: .folder)
  }
}
