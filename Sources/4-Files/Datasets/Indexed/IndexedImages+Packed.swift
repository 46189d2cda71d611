import FileFormats
import Foundation
import SystemSupport

extension IndexedImages {
  /// The layout of EDM's dataset tool: images at any depth of a .zip or a folder, in the byte order
  /// of their paths, and `dataset.json` with their labels. Entries of a .zip may be stored or
  /// deflated.
  ///
  /// Without `dataset.json`, or where it says null, nothing is labelled. In a .zip it may lie in the
  /// folder that holds all images, as where that folder was packed; its names begin there.
  ///
  /// - Throws: `DatasetError.noImages`, `.brokenLabels`, `.missingLabel`, and errors of a damaged
  ///   .zip.
  package init(packed path: String) throws {
    if try Files.kind(path) == .folder {
      let file = Files.join(path, LabelList.fileName)
      let images = try FolderImages(path: path)
      let list = Files.kindIfPresent(file) == .file ? try Files.map(file) : nil
      try self.init(
        packed: path, labels: LabelList(list, path: file, images: images.count), store: .folder,
        images.names.map { Entry(name: $0, label: nil) }, leftOut: images.leftOut)
      return
    }
    let directory = try ZipDirectory(path: path)
    let listing = try ZipListing(directory)
    let entries = listing.images.map { place in
      Entry(name: directory.entries[place].name, label: nil, offset: place)
    }
    let place = try Self.labelFile(of: listing, directory, entries)
    let file = place.map { directory.entries[$0] }
    let name = file?.name ?? LabelList.fileName
    let limit = LabelList.byteLimit(images: entries.count)
    let labels = try LabelList(
      file.map { try directory.content($0, atMost: limit) }, path: Files.join(path, name),
      images: entries.count, prefix: String(name.dropLast(LabelList.fileName.count)))
    try self.init(
      packed: path, labels: labels, store: .zip(directory), entries, leftOut: listing.leftOut)
  }

  /// The place of the file of labels in a .zip's list; nil where there is none.
  private static func labelFile(
    of listing: ZipListing, _ directory: ZipDirectory, _ entries: [Entry]
  ) throws -> Int? {
    let files = listing.labelFiles
    if let own = files.first(where: { directory.entries[$0].name == LabelList.fileName }) {
      return own
    }
    guard let first = files.first else { return nil }
    let folder = directory.entries[first].name.utf8.dropLast(LabelList.fileName.utf8.count)
    guard files.count == 1, entries.allSatisfy({ $0.name.utf8.starts(with: folder) }) else {
      throw DatasetError.brokenLabels(
        path: Files.join(directory.path, directory.entries[first].name),
        reason: "there are images outside of its folder")
    }
    return first
  }

  private init(
    packed path: String, labels: LabelList, store: Store, _ entries: [Entry], leftOut: LeftOut
  ) throws {
    guard !entries.isEmpty else { throw DatasetError.noImages(path: path, found: leftOut) }
    var labelled: [Entry] = []
    var used: Set<ExactName> = []
    labelled.reserveCapacity(entries.count)
    for entry in entries {
      guard let all = labels.labels else {
        labelled.append(entry)
        continue
      }
      guard let key = labels.key(of: entry.name), let label = all[key],
        used.insert(key).inserted
      else {
        throw DatasetError.missingLabel(
          path: path, name: entry.name, expected: "an entry in dataset.json")
      }
      labelled.append(Entry(name: entry.name, label: label, offset: entry.offset))
    }
    if let all = labels.labels, all.count > labelled.count {
      let lost = all.keys.filter { !used.contains($0) }.map(\.text).min() ?? ""
      throw DatasetError.brokenLabels(
        path: labels.path, reason: "it has \(lost), which is not there")
    }
    self.init(
      path: path, layout: .packed, classNames: labels.classNames, entries: labelled, store: store,
      leftOut: leftOut)
  }
}
