import CommandSupport
import FileFormats
import Foundation
import Images
import SystemSupport

/// A folder of sampled images, `000000/000012.png` by seed, and the record of how they were
/// sampled.
///
/// A job that was killed continues where it ended: images that are there and whole are kept. A file
/// does not depend on the rank that sampled it, nor on its batch.
package struct SampleFolder: ResumableFolder {
  /// The folder's path.
  package let path: String

  /// Names the files of the folder; nothing is read or written.
  package init(path: String) {
    self.path = path
  }

  /// The file of the folder's `SampleRecord`, for a later `sample` into the same folder and for
  /// `evaluate`.
  package var recordPath: String { "\(path)/samples.json" }

  /// `000060/060012.png`: one sub-folder per thousand seeds.
  package static func name(seed: UInt64) -> String {
    "\(padded(seed - seed % 1000))/\(padded(seed)).png"
  }

  private static func padded(_ number: UInt64) -> String { Format.zeroPadded(number, 6) }

  /// The class of each seed's image by the file's name; nil for an unconditional network.
  package static func classes(of seeds: [UInt64], _ labels: [Int]?) -> [String: Int]? {
    labels.map { Dictionary(uniqueKeysWithValues: zip(seeds.map(name), $0)) }
  }

  /// The path of a seed's image.
  package func file(seed: UInt64) -> String { "\(path)/\(Self.name(seed: seed))" }

  /// Makes the folder ready for images of `record`, and notes their classes in the folder's own.
  ///
  /// - Returns: for each seed, whether the folder holds its image already, whole.
  /// - Throws: `SamplingError` where it holds images that were sampled in another way, or in an
  ///   unknown way.
  package func prepare(_ record: SampleRecord, seeds: [UInt64]) throws -> [Bool] {
    let isRecorded = FileManager.default.fileExists(atPath: recordPath)
    var record = record
    var isComplete = false
    if isRecorded {
      let found = try SampleRecord(readingFile: recordPath)
      if let difference = record.difference(from: found) {
        throw SamplingError.otherSamples(folder: path, difference: difference)
      }
      record.classes?.merge(found.classes ?? [:]) { new, _ in new }
      isComplete = record.classes == found.classes && record.classNames == found.classNames
    }
    for folder in Set(seeds.map { $0 - $0 % 1000 }) {
      try FileOutput.makeFolder("\(path)/\(Self.padded(folder))")
    }
    let isThere = seeds.map { FileManager.default.fileExists(atPath: file(seed: $0)) }
    if !isRecorded {
      if let known = zip(seeds, isThere).first(where: \.1)?.0 {
        throw SamplingError.samplesOfUnknownOrigin(folder: path, file: Self.name(seed: known))
      }
    }
    if !isComplete { try record.write(to: recordPath) }
    // A crash of the system or a full disk may have left an image cut short under its name.
    return zip(seeds, isThere).map { $1 && ImageFile.isWholePNG(file(seed: $0)) }
  }

  /// Writes a seed's image as PNG; the file is complete, or it is not there.
  package func write(_ image: RGBImage, seed: UInt64) throws {
    try ImageFile.writePNG(image, to: file(seed: seed))
  }
}
