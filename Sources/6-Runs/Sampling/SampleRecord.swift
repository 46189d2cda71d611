import CommandSupport
import Configuration
import ModelLoading
import SystemSupport

/// `samples.json`: how the images of a folder were sampled, and which class each of them has. It says nothing about ranks, batches
/// and times, because images do not depend on them.
package struct SampleRecord: WorkRecord, Equatable, Sendable {
  /// The checkpoint's name, `images-000001024000`.
  package var checkpoint: String
  /// Digest of the checkpoint's manifest, and so of all that the checkpoint holds.
  var checkpointDigest: String
  /// Images the network was trained on.
  package var imagesSeen: Int
  /// `weights`, or `ema.NAME`.
  package var weights: String
  /// What the network computed in, `fp32` or `bf16`.
  package var precision: String
  /// The sampler, never `auto`.
  package var sampler: String
  /// Steps of the sampler.
  package var steps: Int
  /// S_churn of `heun` and `euler`; 0: none.
  package var churn: Double
  /// Noise that `ddim` added, 0 to 1.
  package var eta: Double
  /// The class of all images; nil: from each image's seed, or an unconditional network.
  package var label: Int?
  /// Scale of classifier-free guidance; 1: none.
  package var guidance: Double
  /// The noise levels with guidance, [low, high]; nil: all.
  package var guidanceInterval: [Double]?
  /// How guidance followed the timesteps; nil: constant.
  var guidanceSchedule: String?
  /// The first so many channels were guided; nil: all.
  var guidedChannels: Int?
  /// The checkpoint of the network that guided; nil: none did.
  package var guide: String?
  /// Digest of its manifest.
  var guideDigest: String?
  /// `weights`, or `ema.NAME`, of the guide.
  package var guideWeights: String?
  /// Weight of the difference to the guide.
  package var guideWeight: Double?
  /// Digest of the autoencoder of a latent network, which decoded the images.
  package var vae: String?
  /// What latents were multiplied by for the training of a latent network.
  package var latentScale: Double?
  /// The class of each image that the folder is to hold, by its file's name; nil: an unconditional
  /// network, or a record of a version before 0.2.
  package var classes: [String: Int]?
  /// The names of the network's classes; nil where they are not known.
  package var classNames: [String]?
  /// How values in [-1, 1] became bytes.
  var quantization = "trunc(127.5 x + 128)"

  /// The names in the file.
  package enum CodingKeys: String, CodingKey {
    case checkpoint, weights, precision, sampler, steps, churn, eta, guidance, quantization, vae
    case classes
    case classNames = "class_names"
    case guide
    case guideDigest = "guide_digest"
    case guideWeights = "guide_weights"
    case guideWeight = "guide_weight"
    case latentScale = "latent_scale"
    case checkpointDigest = "checkpoint_digest"
    case imagesSeen = "images_seen"
    case label = "class"
    case guidanceInterval = "guidance_interval"
    case guidanceSchedule = "guidance_schedule"
    case guidedChannels = "guided_channels"
  }

  /// All that has to be equal for images to belong into one folder, as text by name.
  package var texts: [String: String] {
    let interval = guidanceInterval.map { "\($0[0]),\($0[1])" }
    return [
      "checkpoint": checkpoint, "checkpoint_digest": checkpointDigest, "weights": weights,
      "precision": precision, "sampler": sampler, "steps": "\(steps)", "churn": "\(churn)",
      "eta": "\(eta)", "class": label.map { "\($0)" } ?? "by seed", "guidance": "\(guidance)",
      "guidance_interval": interval ?? "all", "quantization": quantization,
      "guide": guide ?? "none", "guide_digest": guideDigest ?? "none",
      "guide_weights": guideWeights ?? "none",
      "guide_weight": guideWeight.map { "\($0)" } ?? "none",
      "guidance_schedule": guidanceSchedule ?? "constant",
      "guided_channels": guidedChannels.map { "\($0)" } ?? "all", "vae": vae ?? "none",
      "latent_scale": latentScale.map { "\($0)" } ?? "none",
    ]
  }

  /// Why `samples.json` cannot hold these values; nil where it can.
  package var problem: String? {
    let counts = [
      ("images_seen", imagesSeen, 0...ImageCount.largest), ("steps", steps, 1...100_000),
      ("class", label ?? 0, 0...1_000_000), ("guided_channels", guidedChannels ?? 0, 0...1024),
    ]
    for (key, found, expected) in counts where !expected.contains(found) {
      return "\(key) is \(found), expected \(expected.lowerBound) to \(expected.upperBound)"
    }
    guard let interval = guidanceInterval else { return nil }
    if interval.count == 2, interval[0] <= interval[1] { return nil }
    return "guidance_interval is \(interval.prefix(4)), expected two noise levels, the lower first"
  }

  /// The record of images sampled from a checkpoint with these options.
  ///
  /// - Parameter guide: the network that guides; nil: none.
  /// - Throws: `OptionError` for options that do not go together with the run.
  package init(_ loaded: LoadedModel, _ options: SamplingOptions, guide: Guide? = nil) throws {
    let parameters = try SamplingParameters(options, of: loaded.configuration)
    self.init(
      checkpoint: loaded.path.split(separator: "/").last.map(String.init) ?? loaded.path,
      checkpointDigest: try loaded.digest, imagesSeen: loaded.imagesSeen, weights: loaded.vector,
      precision: loaded.configuration.train.precision.rawValue, parameters: parameters,
      latents: loaded.latents)
    (self.guide, guideDigest) = (guide?.record.checkpoint, guide?.record.digest)
    (guideWeights, guideWeight) = (guide?.record.weights, guide?.weight)
  }

  /// The record of images of these origins.
  package init(
    checkpoint: String, checkpointDigest: String, imagesSeen: Int, weights: String,
    precision: String, parameters: SamplingParameters, latents: LatentMetadata? = nil
  ) {
    (vae, latentScale) = (latents?.vae, latents?.scale)
    (self.checkpoint, self.checkpointDigest) = (checkpoint, checkpointDigest)
    (self.imagesSeen, self.weights, self.precision) = (imagesSeen, weights, precision)
    (sampler, steps) = (parameters.sampler.rawValue, parameters.steps)
    (churn, eta, label) = (parameters.churn, parameters.eta, parameters.label)
    guidance = parameters.guidance.scale
    let interval = parameters.guidance.interval
    guidanceInterval =
      interval == 0...(.infinity) ? nil : [interval.lowerBound, interval.upperBound]
    guidanceSchedule =
      parameters.guidance.schedule == .constant
      ? nil : SampleSettings.Schedule.powerCosine.rawValue
    guidedChannels = parameters.guidance.guidedChannels
  }
}

extension SampleRecord {
  /// The record without what belongs to single images.
  package var withoutImages: SampleRecord {
    var record = self
    (record.classes, record.classNames) = (nil, nil)
    return record
  }

  /// One line for people: `images-000001024000 (ema.ema), heun, 18 steps, bf16`.
  package var summary: String {
    var parts = ["\(checkpoint) (\(weights))", sampler, Format.quantity(steps, "step"), precision]
    if churn > 0 { parts.append("churn \(churn)") }
    if eta > 0 { parts.append("eta \(eta)") }
    if guidance != 1 {
      let interval = guidanceInterval.map { " from sigma \($0[0]) to \($0[1])" } ?? ""
      parts.append("guidance \(guidance)\(interval)")
    }
    if let guide, let guideWeight {
      parts.append("guided by \(guide) (\(guideWeights ?? "weights")) with weight \(guideWeight)")
    }
    if let label { parts.append("class \(label)") }
    return parts.joined(separator: ", ")
  }
}
