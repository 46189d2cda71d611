import Synchronization
import TensorCore

/// Pictures of any size in folders, tar shards or a .zip, as a set of square images for training.
///
/// An image is decoded, cut to its centred square and resized when it is first read, and then kept at the
/// set's resolution as long as the cache has room. Nothing is unpacked, so there is nothing that the ranks
/// of a node could share beyond the kernel's copy of the files; the cache is a rank's own, and holds the
/// images of its own share of the batches.
package final class IndexedImageDataset: ImageDataset {
  package let pictures: IndexedImages
  package let resolution: Int
  package let contentDigest: String
  private let cache: Mutex<Cache>

  package var count: Int { pictures.count }
  package var classNames: [String] { pictures.classNames }

  private struct Cache {
    var images: [Int: [UInt8]] = [:]
    var freeBytes: Int
  }

  /// Lists the pictures and reads the headers of those in folders and tars, so that a broken file is an
  /// error now and not in the middle of training; damage behind the header, and in a .zip, which has
  /// checksums, is an error when the image is read.
  ///
  /// - Parameters:
  ///   - resolution: side in pixels of the images as they are read.
  ///   - cacheBytes: memory for decoded images.
  package init(
    path: String, layout: IndexedImages.Layout, resolution: Int, cacheBytes: Int = 1 << 30
  ) throws {
    invariant(resolution > 0, "IndexedImageDataset: resolution \(resolution)")
    pictures = try IndexedImages(path: path, layout: layout)
    self.resolution = resolution
    contentDigest = try pictures.contentDigest(resolution: resolution, checkingHeaders: true)
    cache = Mutex(Cache(freeBytes: cacheBytes))
  }

  package func contentDigest(by algorithm: DigestAlgorithm) throws -> String {
    try pictures.contentDigest(resolution: resolution, by: algorithm)
  }

  /// - Returns: the image's label; 0 where nothing is labelled.
  package func read(
    _ index: Int, into pixels: UnsafeMutableBufferPointer<UInt8>
  ) throws -> Int {
    checkRead(index, pixels)
    let image: [UInt8]
    if let cached = cache.withLock({ $0.images[index] }) {
      image = cached
    } else {
      image = try pictures.image(index).centerSquare(resizedTo: resolution).pixels
      cache.withLock { cache in
        if cache.freeBytes >= imageSize && cache.images.updateValue(image, forKey: index) == nil {
          cache.freeBytes -= imageSize
        }
      }
    }
    _ = pixels.update(fromContentsOf: image)
    return pictures.label(of: index) ?? 0
  }
}
