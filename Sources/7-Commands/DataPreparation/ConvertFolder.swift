import CommandSupport
import Datasets
import FileFormats
import Foundation
import Images
import SystemSupport

/// What a conversion has made so far: images in the packed layout, named by their index in the
/// source, such as `00000/img00000012.png`, and the record of how they were made.
struct ConvertFolder: ResumableFolder {
  let path: String

  init(of options: ConvertOptions) { path = "\(options.output).partial" }

  private var recordPath: String { "\(path)/convert.json" }

  /// Makes the folder ready.
  ///
  /// - Returns: whether it holds each image already, whole.
  /// - Throws: where it holds images that were made with other options, or that have no record.
  func prepare(_ record: ConvertRecord) throws -> [Bool] {
    try adopt(record, at: recordPath)
    let size = ImageSize(width: record.resolution, height: record.resolution)
    var done = [Bool](repeating: false, count: record.images)
    for first in stride(from: 0, to: record.images, by: 1000) {
      // All names of a folder at once: asking for millions of files one by one is slow on a
      // network.
      let folder = String(PackedLayout.name(of: first).prefix(5))
      try FileOutput.makeFolder("\(path)/\(folder)")
      let names = Set(try FileManager.default.contentsOfDirectory(atPath: "\(path)/\(folder)"))
      for index in first..<min(first + 1000, record.images) {
        let name = PackedLayout.name(of: index)
        // A crash of the system or a full disk may have left an image cut short under its name.
        done[index] =
          names.contains(String(name.dropFirst(6)))
          && ImageFile.isWholePNG("\(path)/\(name)", size: size)
      }
    }
    return done
  }

  /// The algorithm of the digest in the record that is there, if any: a conversion that an older version began
  /// goes on.
  var digestAlgorithm: DigestAlgorithm {
    DigestAlgorithm(of: (try? ConvertRecord(readingFile: recordPath))?.source)
  }

  func write(_ image: RGBImage, index: Int) throws {
    let png = try ImageFile.storedPNG(image)
    try AtomicFile.write(
      png, to: "\(path)/\(PackedLayout.name(of: index))", durable: false)
  }

  /// Turns the folder into what was asked for.
  ///
  /// - Parameter made: indices of the images.
  func finish(
    _ made: [Int], labelFile: Data, as options: ConvertOptions, progress: (Int) -> Void
  ) throws {
    if PackedImages.Format(path: options.output) == .zip {
      try PackedImages.pack(
        made.map(PackedLayout.name), in: path, labelFile: labelFile, as: .zip,
        to: options.output, progress: progress)
      try FileManager.default.removeItem(atPath: path)
    } else {
      try AtomicFile.write(
        labelFile, to: "\(path)/\(PackedLayout.labelFileName)", durable: false)
      try FileManager.default.removeItem(atPath: recordPath)
      try FileOutput.rename(path, to: options.output)
    }
  }
}

/// `convert.json`: what the images of a conversion depend on. It says nothing about ranks and
/// threads, which they do not depend on.
package struct ConvertRecord: WorkRecord, Equatable {
  /// Fingerprint of names and labels: `ImageSource.listDigest`.
  let source: String
  let images: Int
  let resolution: Int
  let transform: String
  /// Nil where the transform has its own filter.
  let filter: String?

  /// - Parameter source: digest of what is converted.
  init(source: String, images: Int, options: ConvertOptions) {
    self.source = source
    self.images = images
    resolution = options.resolution
    transform = options.transform.rawValue
    filter = options.transform == .centerCropDhariwal ? nil : options.filter.rawValue
  }

  /// What images depend on, for people, by key.
  package var texts: [String: String] {
    [
      "source": source, "images": "\(images)", "resolution": "\(resolution)",
      "transform": transform, "filter": filter ?? "its own",
    ]
  }
}
