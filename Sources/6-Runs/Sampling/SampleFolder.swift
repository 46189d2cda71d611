import CommandSupport
import Configuration
import FileFormats
import Foundation
import ModelLoading
import SystemSupport

/// A folder of drawn images, `000000/000012.png` by seed, and the record of how they were drawn.
///
/// A file is complete where it exists, so that a job that was killed goes on where it ended. Which rank
/// draws an image, and in what batch, does not show.
package struct SampleFolder: ResumableFolder {
  package let path: String

  package init(path: String) {
    self.path = path
  }

  /// What tells whoever measures the images, and whoever goes on drawing, how they were made.
  package var recordPath: String { "\(path)/samples.json" }

  /// `000060/060012.png`: a sub-folder a thousand.
  package static func name(seed: UInt64) -> String {
    "\(padded(seed - seed % 1000))/\(padded(seed)).png"
  }

  private static func padded(_ number: UInt64) -> String { Format.zeroPadded(number, 6) }

  package func file(seed: UInt64) -> String { "\(path)/\(Self.name(seed: seed))" }

  /// Makes the folder ready for images of `record`.
  ///
  /// - Returns: whether it holds each seed's image already.
  /// - Throws: where it holds images that were drawn otherwise, or nobody knows how.
  package func prepare(_ record: SampleRecord, seeds: [UInt64]) throws -> [Bool] {
    let isRecorded = FileManager.default.fileExists(atPath: recordPath)
    if isRecorded {
      let found = try SampleRecord(readingFile: recordPath)
      if let difference = record.difference(from: found) {
        throw SamplingError.otherSamples(folder: path, difference: difference)
      }
    }
    for folder in Set(seeds.map { $0 - $0 % 1000 }) {
      try FileOutput.makeFolder("\(path)/\(Self.padded(folder))")
    }
    let isDone = seeds.map { FileManager.default.fileExists(atPath: file(seed: $0)) }
    if !isRecorded {
      if let known = zip(seeds, isDone).first(where: \.1)?.0 {
        throw SamplingError.samplesOfUnknownOrigin(folder: path, file: Self.name(seed: known))
      }
      try record.write(to: recordPath)
    }
    return isDone
  }

  package func write(_ image: RGBImage, seed: UInt64) throws {
    try ImageFile.writePNG(image, to: file(seed: seed))
  }
}

/// `samples.json`: what images of a folder have in common. It says nothing about ranks, batches and
/// times, which images do not depend on.
package struct SampleRecord: WorkRecord, Equatable, Sendable {
  /// The checkpoint's name, `images-000001024000`.
  package var checkpoint: String
  /// Of its manifest, and so of all that it holds.
  var checkpointDigest: String
  /// Images the network was trained on.
  package var imagesSeen: Int
  /// `weights`, or `ema.NAME`.
  package var weights: String
  package var precision: String
  package var sampler: String
  package var steps: Int
  package var churn: Double
  package var eta: Double
  /// Nil: from each image's seed, or an unconditional network.
  package var label: Int?
  package var guidance: Double
  /// Noise levels with guidance, [low, high]; nil: all.
  package var guidanceInterval: [Double]?
  /// Nil: constant.
  var guidanceSchedule: String?
  /// The first so many; nil: all.
  var guidedChannels: Int?
  /// Of a latent network: digest of the autoencoder that made the pictures.
  package var vae: String?
  /// Of a latent network: what latents were multiplied by for the training.
  package var latentScale: Double?
  /// How values in [-1, 1] became bytes.
  var quantization = "trunc(127.5 x + 128)"

  package enum CodingKeys: String, CodingKey {
    case checkpoint, weights, precision, sampler, steps, churn, eta, guidance, quantization, vae
    case latentScale = "latent_scale"
    case checkpointDigest = "checkpoint_digest"
    case imagesSeen = "images_seen"
    case label = "class"
    case guidanceInterval = "guidance_interval"
    case guidanceSchedule = "guidance_schedule"
    case guidedChannels = "guided_channels"
  }

  package var texts: [String: String] {
    let interval = guidanceInterval.map { "\($0[0]),\($0[1])" }
    return [
      "checkpoint": checkpoint, "checkpoint_digest": checkpointDigest, "weights": weights,
      "precision": precision, "sampler": sampler, "steps": "\(steps)", "churn": "\(churn)",
      "eta": "\(eta)", "class": label.map { "\($0)" } ?? "by seed", "guidance": "\(guidance)",
      "guidance_interval": interval ?? "all", "quantization": quantization,
      "guidance_schedule": guidanceSchedule ?? "constant",
      "guided_channels": guidedChannels.map { "\($0)" } ?? "all", "vae": vae ?? "none",
      "latent_scale": latentScale.map { "\($0)" } ?? "none",
    ]
  }

  package init(
    checkpoint: String, checkpointDigest: String, imagesSeen: Int, weights: String,
    precision: String, drawing: SamplingParameters, latents: LatentMetadata? = nil
  ) {
    (vae, latentScale) = (latents?.vae, latents?.scale)
    (self.checkpoint, self.checkpointDigest) = (checkpoint, checkpointDigest)
    (self.imagesSeen, self.weights, self.precision) = (imagesSeen, weights, precision)
    (sampler, steps) = (drawing.sampler.rawValue, drawing.steps)
    (churn, eta, label) = (drawing.churn, drawing.eta, drawing.label)
    guidance = drawing.guidance.scale
    let interval = drawing.guidance.interval
    guidanceInterval =
      interval == 0...(.infinity) ? nil : [interval.lowerBound, interval.upperBound]
    guidanceSchedule =
      drawing.guidance.schedule == .constant
      ? nil : SampleSettings.Schedule.powerCosine.rawValue
    guidedChannels = drawing.guidance.guidedChannels
  }
}

extension SampleRecord {
  /// `images-000001024000 (ema.ema), heun, 18 steps, bf16`
  package var summary: String {
    var parts = ["\(checkpoint) (\(weights))", sampler, Format.quantity(steps, "step"), precision]
    if churn > 0 { parts.append("churn \(churn)") }
    if eta > 0 { parts.append("eta \(eta)") }
    if guidance != 1 {
      let interval = guidanceInterval.map { " from sigma \($0[0]) to \($0[1])" } ?? ""
      parts.append("guidance \(guidance)\(interval)")
    }
    if let label { parts.append("class \(label)") }
    return parts.joined(separator: ", ")
  }
}
