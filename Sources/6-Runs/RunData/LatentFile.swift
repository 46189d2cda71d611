import Configuration
import FileFormats
import Foundation
import Images
import TensorCore

/// The names of the tensors in a file of latents: [n, channels, height, width], and labels [n].
enum LatentTensor: String, CaseIterable {
  case mean
  case logVariance = "log_variance"
  case flippedMean = "flipped_mean"
  case flippedLogVariance = "flipped_log_variance"

  /// The tensor of the labels, int64 [n].
  static let labels = "labels"

  /// The tensors of a file, without the labels.
  static func all(flips: Bool) -> [LatentTensor] {
    flips ? allCases : [.mean, .logVariance]
  }
}

extension TrainSettings.Precision {
  var fileType: SafetensorsDType { self == .bf16 ? .bfloat16 : .float32 }
}

/// The latents of one file while they are encoded.
package struct LatentBlock {
  /// Shape of an image's latents, [channels, height, width].
  package let shape: [Int]
  /// The type of the file's elements.
  package let precision: TrainSettings.Precision
  /// Elements as the file has them, image by image.
  private(set) var bytes: [LatentTensor: [UInt8]] = [:]
  /// One label per image.
  package var labels: [Int64] = []
  /// Kept apart, so that the order of the sums does not depend on how many images were encoded at
  /// once.
  private var (plainSums, flippedSums) = (LatentSums(), LatentSums())

  /// Starts without images.
  package init(shape: [Int], precision: TrainSettings.Precision) {
    (self.shape, self.precision) = (shape, precision)
  }

  /// Adds Gaussians, [B, h, w, C] each; the file gets them as [B, C, h, w] in its type.
  ///
  /// - Parameter flipped: whether they are of mirrored images.
  package mutating func add(_ mean: [Float], _ logVariance: [Float], flipped: Bool) {
    let tensors: (LatentTensor, LatentTensor) =
      flipped ? (.flippedMean, .flippedLogVariance) : (.mean, .logVariance)
    let (means, variances) = (stored(mean), stored(logVariance))
    if flipped { flippedSums.add(means, variances) } else { plainSums.add(means, variances) }
    append(means, to: tensors.0)
    append(variances, to: tensors.1)
  }

  /// Sums over all latents of the file.
  package var sums: LatentSums {
    var sums = plainSums
    sums.add(flippedSums)
    return sums
  }

  private mutating func append(_ values: [Float], to tensor: LatentTensor) {
    if precision == .bf16 {
      values.map { UInt16($0.bitPattern >> 16) }
        .withUnsafeBytes { bytes[tensor, default: []] += $0 }
    } else {
      values.withUnsafeBytes { bytes[tensor, default: []] += $0 }
    }
  }

  /// The values with channels first, rounded to the file's type.
  private func stored(_ values: [Float]) -> [Float] {
    let (channels, area) = (shape[0], shape[1] * shape[2])
    var result = [Float](repeating: 0, count: values.count)
    LatentArithmetic.channelsFirst(
      values, channels: channels, area: area, inBFloat16: precision == .bf16, into: &result)
    return result
  }

  /// Writes the file; it is complete, or it is not there.
  ///
  /// - Returns: its bytes, and its XXH3 checksum.
  package func write(to path: String) throws -> (size: Int, checksum: String) {
    let tensors = LatentTensor.allCases.filter { bytes[$0] != nil }
    let labelTensor = SafetensorsWriter.Announcement(LatentTensor.labels, .int64, [labels.count])
    let writer = try SafetensorsWriter(
      URL(fileURLWithPath: path),
      [labelTensor]
        + tensors.map { .init($0.rawValue, precision.fileType, [labels.count] + shape) },
      metadata: ["format": "pt"])
    try writer.writeAll(labels)
    for tensor in tensors { try writer.writeAll(bytes[tensor] ?? []) }
    return try writer.finish()
  }
}

extension SafetensorsWriter {
  fileprivate func writeAll(_ values: [some BitwiseCopyable]) throws {
    try values.withUnsafeBytes { bytes in
      Result { () throws in try write(bytes) }
    }.get()
  }
}

/// The sums behind the standard deviation of sampled latents. They are added up in f64, element
/// after element, and over the files in their order, so that they do not depend on the ranks that
/// wrote the files.
package struct LatentSums: Codable, Equatable {
  /// Number of elements.
  package var count = 0
  /// Sum of the means.
  package var first = 0.0
  /// Sum of the expected squares of sampled elements.
  package var second = 0.0

  /// Sums of nothing.
  package init() {}

  /// Adds Gaussians, element by element.
  package mutating func add(_ means: [Float], _ logVariances: [Float]) {
    for (mean, logVariance) in zip(means, logVariances) {
      let mean = Double(mean)
      first += mean
      second += mean * mean + PortableMath.saturatingExp(Double(logVariance))
    }
    count += means.count
  }

  /// Adds the sums of another file.
  package mutating func add(_ other: LatentSums) {
    count += other.count
    first += other.first
    second += other.second
  }

  /// Whether latents can have these sums: sums that were read from a file are added up.
  package var isPossible: Bool {
    (1...1 << 50).contains(count) && first.isFinite && second.isFinite && second >= 0
  }

  /// 1 over the standard deviation.
  package var scale: Double {
    let mean = first / Double(count)
    return 1 / (second / Double(count) - mean * mean).squareRoot()
  }
}
