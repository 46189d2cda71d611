import Foundation
import Synchronization
import TensorCore

/// A folder with one sub-folder a class, each with JPEG and PNG files of any size.
///
/// Classes are the sub-folders' names in byte order, images follow class by class in the byte order of
/// their names. An image is decoded, cut to its centred square and resized when it is first read, and
/// then kept at the set's resolution as long as the cache has room. Nothing is unpacked, so there is
/// nothing that the ranks of a node could share beyond the kernel's copy of the files; the cache is a
/// rank's own, and holds the images of its own share of the batches.
public final class ImageFolderDataset: ImageDataset {
  public let count: Int
  public let resolution: Int
  public let classNames: [String]
  public let contentDigest: String
  private let entries: [Entry]
  private let cache: Mutex<Cache>

  private struct Entry: Sendable {
    let path: String
    let label: Int
  }

  private struct Cache {
    var images: [Int: [UInt8]] = [:]
    var freeBytes: Int
  }

  /// Lists the folder and reads every file's header, so that a broken file is an error now and not in
  /// the middle of training; damage behind the header is an error when the image is read.
  ///
  /// - Parameters:
  ///   - resolution: side in pixels of the images as they are read.
  ///   - cacheBytes: memory for decoded images.
  public init(
    path: String, resolution: Int, cacheBytes: Int = 1 << 30
  ) throws(DatasetError) {
    invariant(resolution > 0, "ImageFolderDataset: resolution \(resolution)")
    guard try Files.kind(path) == .folder else {
      throw .unreadable(path: path, reason: "it is a file, expected a folder of class folders")
    }
    var classNames: [String] = []
    for name in try Files.names(in: path)
    where Files.kindIfPresent(Files.join(path, name)) == .folder {
      classNames.append(name)
    }
    guard !classNames.isEmpty else { throw .noClasses(path: path) }

    var entries: [Entry] = []
    var digest = ContentDigest()
    digest.add(resolution)
    for (label, className) in classNames.enumerated() {
      let folder = Files.join(path, className)
      digest.add(className)
      let names = try Files.names(in: folder).filter(ImageFolderDataset.isImageName)
      guard !names.isEmpty else { throw .emptyClass(path: folder) }
      for name in names {
        let file = try EncodedImage(path: Files.join(folder, name))
        _ = try file.size()
        digest.add(name)
        ImageFolderDataset.add(file.bytes, to: &digest)
        entries.append(Entry(path: file.path, label: label))
      }
    }
    self.classNames = classNames
    self.entries = entries
    self.resolution = resolution
    count = entries.count
    contentDigest = digest.text
    cache = Mutex(Cache(freeBytes: cacheBytes))
  }

  public func read(
    _ index: Int, into pixels: UnsafeMutableBufferPointer<UInt8>
  ) throws(DatasetError) -> Int {
    checkRead(index, pixels)
    let entry = entries[index]
    let image: [UInt8]
    if let cached = cache.withLock({ $0.images[index] }) {
      image = cached
    } else {
      image = try ImageFile.read(entry.path).centerSquare(resizedTo: resolution).pixels
      cache.withLock { cache in
        if cache.freeBytes >= imageSize && cache.images.updateValue(image, forKey: index) == nil {
          cache.freeBytes -= imageSize
        }
      }
    }
    _ = pixels.update(fromContentsOf: image)
    return entry.label
  }

  private static func isImageName(_ name: String) -> Bool {
    let name = name.lowercased()
    return [".jpg", ".jpeg", ".png"].contains { name.hasSuffix($0) }
  }

  /// Whole small files, and both ends of large ones: reading millions of photographs in full would
  /// take hours, and an edited image hardly ever keeps its size, its header and its end.
  private static func add(_ bytes: Data, to digest: inout ContentDigest) {
    let end = 8192
    digest.add(bytes.count)
    if bytes.count <= 2 * end {
      digest.add(bytes)
    } else {
      digest.add(bytes.prefix(end))
      digest.add(bytes.suffix(end))
    }
  }
}
