import Datasets
import FileFormats
import Foundation
import Images
import ModelLoading
import SystemSupport
import TensorCore

/// Gaussians of latents in a folder that `diffit data encode` made: memory maps of safetensors
/// files.
///
/// A sample is scale (mean + exp(log variance / 2) n), where n has unit variance and comes from the
/// random stream of its position. Half of the positions get the Gaussian of the mirrored image,
/// where mirrored images were encoded.
package struct LatentDataset: TrainingDataset {
  /// The folder.
  package let path: String
  /// The folder's `latents.json`.
  package let description: LatentsDescription
  /// What latents are multiplied by.
  package let scale: Double
  /// Says that the scale contradicts the autoencoder's own; nil where it does not.
  package let scaleWarning: String?
  /// Digest of all that samples depend on.
  package let contentDigest: String
  private let files: [LatentFile]

  /// Number of images.
  package var count: Int { description.images }
  /// Names of the classes; empty where images have no labels.
  package var classNames: [String] { description.classes }
  /// [height, width, channels] of a sample.
  package var shape: [Int] {
    let s = description.shape
    return [s[1], s[2], s[0]]
  }

  /// Opens every file and checks sizes, types and shapes; elements are read when they are needed.
  ///
  /// - Parameter scale: what latents are multiplied by; 0: the scale in the description; nil: the
  ///   factor that the autoencoder's maker says, else that of Stable Diffusion's first one.
  package init(path: String, scale: Double?) throws {
    let description = try LatentsDescription(folder: path)
    (self.path, self.description) = (path, description)
    let usual = description.scalingFactor ?? DiffusersVAE.standardScale
    self.scale = scale.map { $0 > 0 ? $0 : description.scale } ?? usual
    scaleWarning = Self.warning(scale, description.scalingFactor)
    var files: [LatentFile] = []
    for file in description.files { files.append(try LatentFile(file, of: description, in: path)) }
    self.files = files
    let identity =
      [description.vae, "\(description.shape)", "\(description.flips)"] + description.classes
      + description.files.map(\.checksum)
    contentDigest = DigestAlgorithm.prefix + Checksum.digest(of: identity.joined(separator: "\n"))
  }

  private static func warning(_ given: Double?, _ own: Double?) -> String? {
    guard let given, given > 0, let own, abs(given - own) > 1e-6 * own else { return nil }
    return "data.latent_scale is \(given), but the autoencoder of these latents says \(own)"
      + " (scaling_factor): leave data.latent_scale out to use that"
  }

  /// Versions before 0.2 wrote the same digest without its prefix.
  package func contentDigest(by algorithm: DigestAlgorithm) -> String {
    switch algorithm {
    case .xxh3: contentDigest
    case .old: String(contentDigest.dropFirst(DigestAlgorithm.prefix.count))
    }
  }

  package func read(
    _ index: Int, seed: UInt64, position: UInt64, into values: UnsafeMutableBufferPointer<Float>
  ) -> SampleLabels {
    let elements = sampleSize
    invariant(
      index >= 0 && index < count && values.count == elements,
      "LatentDataset: image \(index) of \(count) into \(values.count) values of \(elements)")
    let isFlipped =
      description.flips
      && RandomStream(seed: seed, .latent, substream: 1, position: position).uniform(0) < 0.5
    let file = files[index / description.fileImages]
    let place = index % description.fileImages
    if let base = values.baseAddress {
      RandomStream(seed: seed, .latent, position: position).fillNormals(base, count: elements)
    }
    // Noise in the order of memory, [h, w, C]; the file has [C, h, w].
    let (channels, area) = (description.shape[0], description.shape[1] * description.shape[2])
    let mean = file.values(isFlipped ? .flippedMean : .mean, of: place)
    let logVariance = file.values(isFlipped ? .flippedLogVariance : .logVariance, of: place)
    LatentArithmetic.draw(
      mean: mean, logVariance: logVariance, channels: channels, area: area, scale: scale,
      noise: values)
    return SampleLabels(label: file.label(of: place))
  }
}

/// One file of latents.
private struct LatentFile: Sendable {
  private let bytes: Data
  /// Where each tensor begins.
  private let starts: [LatentTensor: Int]
  private let labelStart: Int
  private let elements: Int
  private let type: SafetensorsDType

  init(
    _ file: LatentsDescription.File, of description: LatentsDescription, in folder: String
  ) throws {
    let path = "\(folder)/\(file.name)"
    let opened = Result { () throws in
      try SafetensorsFile(URL(fileURLWithPath: path))
    }
    let size = (try? FileManager.default.attributesOfItem(atPath: path)[.size]) as? Int
    if let size, size != file.size {
      throw LatentsError.fileSize(path: path, found: size, expected: file.size)
    }
    let header = try opened.get()
    let bytes = try Files.map(path)
    guard bytes.count == file.size else {
      throw LatentsError.fileSize(path: path, found: bytes.count, expected: file.size)
    }
    self.bytes = bytes
    let dataStart = bytes.count - (header.entries.last?.data.upperBound ?? 0)
    func start(_ name: String, _ type: SafetensorsDType, _ shape: [Int]) throws -> Int {
      guard let entry = header[name], entry.dtype == type, entry.shape == shape else {
        let found = header[name].map { "\($0.dtype.rawValue) \($0.shape)" } ?? "missing"
        throw LatentsError.tensor(
          path: path, name: name, found: found, expected: "\(type.rawValue) \(shape)")
      }
      return dataStart + entry.data.lowerBound
    }
    var starts: [LatentTensor: Int] = [:]
    for tensor in LatentTensor.all(flips: description.flips) {
      starts[tensor] = try start(
        tensor.rawValue, description.precision.fileType, [file.images] + description.shape)
    }
    self.starts = starts
    labelStart = try start(LatentTensor.labels, .int64, [file.images])
    elements = description.shape.reduce(1, *)
    type = description.precision.fileType
    let limit = max(description.classes.count, 1)
    for place in 0..<file.images where !(0..<limit).contains(label(of: place)) {
      throw LatentsError.label(path: path, found: label(of: place), classes: limit)
    }
  }

  /// The elements of one image in the order of the file.
  func values(_ tensor: LatentTensor, of place: Int) -> [Float] {
    guard let start = starts[tensor] else { return [] }
    let (first, size) = (start + place * elements * type.size, elements * type.size)
    return bytes.withUnsafeBytes { bytes in
      let image = UnsafeRawBufferPointer(rebasing: bytes[first..<first + size])
      return [Float](unsafeUninitializedCapacity: elements) { values, count in
        if let base = values.baseAddress { type.convertToFloats(image, base) }
        count = elements
      }
    }
  }

  func label(of place: Int) -> Int {
    bytes.withUnsafeBytes { bytes in
      SafetensorsDType.int64.integer(UnsafeRawBufferPointer(rebasing: bytes[labelStart...]), place)
    }
  }
}

extension LatentMetadata {
  /// The facts about these latents for a run's manifest.
  package init(_ dataset: LatentDataset) {
    self.init(
      vae: dataset.description.vae, factor: dataset.description.factor, scale: dataset.scale)
  }
}
