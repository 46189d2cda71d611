import FileFormats
import SystemSupport

/// The images in a .zip, and what else is there.
struct ZipListing {
  /// Places of images in the archive's list, in the byte order of their paths.
  let images: [Int]
  /// Places of entries that are called `dataset.json`, in whatever folder.
  let labelFiles: [Int]
  /// What is there and is neither.
  let leftOut: LeftOut

  init(_ directory: ZipDirectory) throws {
    var (images, labelFiles, leftOut) = ([Int](), [Int](), LeftOut())
    for (place, entry) in directory.entries.enumerated() where entry.name.utf8.last != 0x2F {
      if ImageNames.isHidden(entry.name) {
        leftOut.add("hidden")
      } else if try ImageNames.isImage(entry.name, start: { try directory.start(of: entry, 8) }) {
        images.append(place)
      } else if Files.name(entry.name) == LabelList.fileName {
        labelFiles.append(place)
      } else if !ImageNames.isRecord(entry.name) {
        leftOut.add(name: entry.name)
      }
    }
    self.images = FileName.sorted(images) { directory.entries[$0].name }
    (self.labelFiles, self.leftOut) = (labelFiles, leftOut)
  }
}
