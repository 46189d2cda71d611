import CommandSupport
import Configuration
import Datasets
import Foundation
import RunData
import SystemSupport

/// What encoding has made so far, in `OUT.partial`: files of latents, and in the folder `notes` one
/// note per complete file and the record of how the files are made.
package struct EncodeFolder: ResumableFolder {
  package let path: String
  private let output: String

  /// The folder beside the output that the options name.
  package init(of options: EncodeOptions) {
    (path, output) = ("\(options.output).partial", options.output)
  }

  /// The facts of a complete file.
  package struct Note: Codable {
    /// Its name, images, size and checksum.
    package let file: LatentsDescription.File
    /// The sums over its latents.
    package let sums: LatentSums

    /// The facts of a file that was written.
    package init(file: LatentsDescription.File, sums: LatentSums) {
      (self.file, self.sums) = (file, sums)
    }
  }

  private static let notes = "notes"
  private var recordPath: String { "\(path)/\(Self.notes)/encode.json" }
  private func notePath(_ index: Int) -> String {
    "\(path)/\(Self.notes)/\(Format.zeroPadded(index, 5)).json"
  }

  /// Makes the folder ready.
  ///
  /// - Returns: whether it holds each file already.
  /// - Throws: where it holds latents that were made with other options, or that have no record.
  package func prepare(_ record: EncodeRecord) throws -> [Bool] {
    try FileOutput.makeFolder("\(path)/\(Self.notes)")
    try adopt(record, at: recordPath, besides: [Self.notes])
    return (0..<record.files).map { index in
      guard let note = note(index, record), note.file.name == record.fileName(index) else {
        return false
      }
      let attributes = try? FileManager.default.attributesOfItem(
        atPath: "\(path)/\(note.file.name)")
      return attributes?[.size] as? Int == note.file.size
    }
  }

  /// The algorithm of the digest in the record that is there, if any: an encoding that an older version began
  /// goes on.
  var digestAlgorithm: DigestAlgorithm {
    DigestAlgorithm(of: (try? EncodeRecord(readingFile: recordPath))?.source)
  }

  /// The note of a complete file; nil where there is none, or none that can be true.
  private func note(_ index: Int, _ record: EncodeRecord) -> Note? {
    guard let bytes = try? JSONFile.bytes(ifPresent: notePath(index)),
      let note = try? JSONDecoder().decode(Note.self, from: Data(bytes)),
      note.file.images == record.images(of: index).count, note.sums.isPossible
    else { return nil }
    return note
  }

  /// Writes file `index`, then the note that it is complete.
  func write(_ block: LatentBlock, index: Int, _ record: EncodeRecord) throws {
    let name = record.fileName(index)
    let (size, checksum) = try block.write(to: "\(path)/\(name)")
    let file = LatentsDescription.File(
      name: name, images: block.labels.count, size: size, checksum: checksum)
    try writeJSON(Note(file: file, sums: block.sums), to: notePath(index))
  }

  /// The notes of all files, in their order.
  package func notes(_ record: EncodeRecord) throws -> [Note] {
    try (0..<record.files).map { index in
      guard let note = note(index, record) else {
        throw ResumableFolderError.brokenRecord(
          path: notePath(index), reason: "it does not fit the images that were encoded")
      }
      return note
    }
  }

  /// Writes the description of the latents and renames the folder. The notes are removed last,
  /// because a reader of the latents ignores them.
  func finish(_ description: LatentsDescription) throws {
    try writeJSON(description, to: "\(path)/\(LatentsDescription.name)")
    try FileOutput.rename(path, to: output)
    try FileManager.default.removeItem(atPath: "\(output)/\(Self.notes)")
  }
}

/// `encode.json`: what latents depend on. It says nothing about ranks, threads and batches, on
/// which they do not depend.
package struct EncodeRecord: WorkRecord, Equatable {
  /// Fingerprint of names and labels: `ImageSource.listDigest`.
  let source: String
  let images: Int
  let resolution: Int
  /// Digest of the autoencoder.
  let vae: String
  let flips: Bool
  let precision: TrainSettings.Precision
  let fileImages: Int

  var files: Int { LatentsDescription.fileCount(images: images, fileImages: fileImages) }
  func fileName(_ index: Int) -> String { LatentsDescription.fileName(index, of: files) }
  func images(of file: Int) -> Range<Int> {
    file * fileImages..<min((file + 1) * fileImages, images)
  }

  /// What latents depend on, for people, by key.
  package var texts: [String: String] {
    [
      "source": source, "images": "\(images)", "resolution": "\(resolution)", "vae": vae,
      "flips": "\(flips)", "precision": precision.rawValue, "file images": "\(fileImages)",
    ]
  }
}
