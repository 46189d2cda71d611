import Synchronization
import TensorCore

/// Images of any size in folders, tar shards or a .zip, as a set of square images for training.
///
/// An image is decoded, cut to its centred square and resized when it is first read, and then kept
/// at the set's resolution as long as the cache has room. Nothing is unpacked, so the ranks of a
/// node share only the kernel's copy of the files. Each rank has its own cache, which holds the
/// images of its share of the batches.
package final class IndexedImageDataset: ImageDataset {
  /// The images as they are stored.
  package let images: IndexedImages
  /// Side of every image in pixels.
  package let resolution: Int
  /// A fingerprint of images, order and labels.
  package let contentDigest: String
  private let cache: Mutex<Cache>

  /// Number of images.
  package var count: Int { images.count }
  /// One name per class; a label is an index into it.
  package var classNames: [String] { images.classNames }
  /// What is beside the images and is not used.
  package var leftOut: LeftOut { images.leftOut }

  private struct Cache {
    var images: [Int: [UInt8]] = [:]
    var freeBytes: Int
  }

  /// Lists the images and reads the headers of those in folders and tars, so that a broken file is
  /// an error now and not in the middle of training. Damage behind the header, and any damage in a
  /// .zip, which has checksums, is an error when the image is read.
  ///
  /// - Parameters:
  ///   - resolution: side in pixels of the images as they are read.
  ///   - cacheBytes: memory for decoded images.
  package init(
    path: String, layout: IndexedImages.Layout, resolution: Int, cacheBytes: Int = 1 << 30
  ) throws {
    invariant(resolution > 0, "IndexedImageDataset: resolution \(resolution)")
    images = try IndexedImages(path: path, layout: layout)
    self.resolution = resolution
    contentDigest = try images.contentDigest(resolution: resolution, checkingHeaders: true)
    cache = Mutex(Cache(freeBytes: cacheBytes))
  }

  package func contentDigest(by algorithm: DigestAlgorithm) throws -> String {
    try images.contentDigest(resolution: resolution, by: algorithm)
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
      image = try images.image(index).centerSquare(resizedTo: resolution).pixels
      cache.withLock { cache in
        if cache.freeBytes >= imageSize && cache.images.updateValue(image, forKey: index) == nil {
          cache.freeBytes -= imageSize
        }
      }
    }
    _ = pixels.update(fromContentsOf: image)
    return images.label(of: index) ?? 0
  }
}
