import Configuration
import Foundation
import SystemSupport

/// `latents.json`: what a folder of latents holds, and what the latents were made of. Where this
/// file exists, the latents are complete.
package struct LatentsDescription: Codable, Equatable, Sendable {
  /// One safetensors file.
  package struct File: Codable, Equatable, Sendable {
    /// Its name in the folder.
    package var name: String
    /// Number of images.
    package var images: Int
    /// Size in bytes.
    package var size: Int
    /// XXH3, 128 bits: what `xxh128sum` prints.
    package var checksum: String

    /// Takes the facts as they are.
    package init(name: String, images: Int, size: Int, checksum: String) {
      (self.name, self.images, self.size) = (name, images, size)
      self.checksum = checksum
    }
  }

  /// Version of this format.
  package var version = 1
  /// Digest of the autoencoder: `DiffusersVAE.digest`.
  package var vae: String
  /// How many pixels a latent stands for along an axis.
  package var factor: Int
  /// Shape of an image's latents, [channels, height, width].
  package var shape: [Int]
  /// Number of images in all files.
  package var images: Int
  /// Images per file; the last file may hold fewer.
  package var fileImages: Int
  /// Names of the classes; empty where images have no labels.
  package var classes: [String]
  /// Where the images came from.
  package var source: String
  /// `ImageSource.listDigest` of the source.
  package var sourceDigest: String
  /// What the autoencoder computed in, and the type of the files' elements.
  package var precision: TrainSettings.Precision
  /// Whether mirrored images were encoded as well.
  package var flips: Bool
  /// 1 over the standard deviation of latents drawn from the Gaussians, over all elements.
  package var scale: Double
  /// What the autoencoder's maker multiplies latents by; nil where nobody said.
  package var scalingFactor: Double?
  /// The files in their order.
  package var files: [File]

  enum CodingKeys: String, CodingKey {
    case version, vae, factor, shape, images, classes, source, precision, flips, scale, files
    case fileImages = "file_images"
    case sourceDigest = "source_digest"
    case scalingFactor = "scaling_factor"
  }

  /// The name of the description's file.
  package static let name = "latents.json"

  /// `latents-00012-of-00051.safetensors`, counted from 0.
  package static func fileName(_ index: Int, of count: Int) -> String {
    "latents-\(Format.zeroPadded(index, 5))-of-\(Format.zeroPadded(count, 5)).safetensors"
  }

  /// The number of files for so many images.
  package static func fileCount(images: Int, fileImages: Int) -> Int {
    (images + fileImages - 1) / fileImages
  }

  /// Reads the description of a folder.
  package init(folder: String) throws {
    let path = "\(folder)/\(Self.name)"
    guard let bytes = try JSONFile.bytes(ifPresent: path) else {
      throw LatentsError.notLatents(path: folder)
    }
    do {
      self = try JSONDecoder().decode(Self.self, from: Data(bytes))
    } catch {
      throw LatentsError.brokenDescription(path: path, reason: DecodingError.oneLine(of: error))
    }
    if let problem { throw LatentsError.brokenDescription(path: path, reason: problem) }
  }

  /// Takes the facts as they are.
  package init(
    vae: String, factor: Int, shape: [Int], images: Int, fileImages: Int, classes: [String],
    source: String, sourceDigest: String, precision: TrainSettings.Precision, flips: Bool,
    scale: Double, scalingFactor: Double? = nil, files: [File]
  ) {
    (self.vae, self.factor, self.shape, self.images) = (vae, factor, shape, images)
    (self.fileImages, self.classes, self.source) = (fileImages, classes, source)
    (self.sourceDigest, self.precision, self.flips) = (sourceDigest, precision, flips)
    (self.scale, self.scalingFactor, self.files) = (scale, scalingFactor, files)
  }

  /// More images than any set has, and far from overflow in what is computed from it.
  private static let largestCount = 1 << 40

  /// Why no folder of latents can have this description.
  private var problem: String? {
    if version != 1 { return "version \(version), which this program does not know" }
    guard shape.count == 3, shape.allSatisfy((1...1 << 14).contains) else {
      return "shape \(shape.prefix(8)), expected 3 sizes from 1 to \(1 << 14)"
    }
    guard (1...1 << 20).contains(factor) else {
      return "factor \(factor), expected 1 to \(1 << 20)"
    }
    for (key, count) in [("images", images), ("file_images", fileImages)]
    where !(1...Self.largestCount).contains(count) {
      return "\(key) \(count), expected 1 to \(Self.largestCount)"
    }
    guard files.count == Self.fileCount(images: images, fileImages: fileImages) else {
      return "\(images) images in \(files.count) files of \(fileImages)"
    }
    for (index, file) in files.enumerated() {
      let expected = min(fileImages, images - index * fileImages)
      if file.images != expected || file.name != Self.fileName(index, of: files.count) {
        return "file \(index) is \(file.name) with \(file.images) images, expected"
          + " \(Self.fileName(index, of: files.count)) with \(expected)"
      }
    }
    for (key, number) in [("scale", scale), ("scaling_factor", scalingFactor ?? 1)]
    where !(number >= 1e-9 && number <= 1e9) {
      return "\(key) \(number), expected a number above 0, from 1e-9 to 1e9"
    }
    return nil
  }
}
