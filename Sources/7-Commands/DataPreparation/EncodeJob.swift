import Collectives
import CommandSupport
import Datasets
import FileFormats
import Foundation
import Images
import RunData
import Synchronization
import SystemSupport
import TensorCore

/// `diffit data encode`. Each rank encodes files of its own; the first rank describes them at the
/// end.
package enum EncodeJob {
  /// Encodes, and goes on with an encoding that was interrupted.
  package static func run(_ options: EncodeOptions) throws {
    try Job.run(json: options.json) { communicator, log in
      let context = try communicator.agreedContext()
      let encoding = Encoding(
        options: options, communicator: communicator, log: log, context: context)
      try encoding.run()
    }
  }
}

/// The result as JSON.
struct EncodeReport: Encodable {
  let source: String
  let kind: String
  let out: String
  let vae: String
  let resolution: Int
  let shape: [Int]
  let images: Int
  let classes: Int
  let scale: Double
  let scalingFactor: Double?
  /// Images encoded by this job; others were there already.
  let encoded: Int
  let seconds: Double
  let imagesPerSecond: Double

  enum CodingKeys: String, CodingKey {
    case source, kind, out, vae, resolution, shape, images, classes, scale, encoded, seconds
    case imagesPerSecond = "images_per_second"
    case scalingFactor = "scaling_factor"
  }
}

/// One encoding.
private struct Encoding {
  let options: EncodeOptions
  let communicator: any Communicator
  let log: RunLog
  let context: ComputeContext

  func run() throws {
    let (source, autoencoder) = try communicator.agree {
      try OutputPlace.requireAbsent(options.output)
      let source = try ImageSource(path: options.source)
      let autoencoder = try Autoencoder.open(
        options.vae, precision: options.precision, on: context)
      try autoencoder.check(resolution: options.resolution)
      return (source, autoencoder)
    }
    let folder = EncodeFolder(of: options)
    let record = EncodeRecord(
      source: try source.listDigest(by: folder.digestAlgorithm),
      images: min(options.maxImages ?? source.count, source.count),
      resolution: options.resolution, vae: autoencoder.digest, flips: options.flips,
      precision: options.precision, fileImages: options.fileImages)
    try communicator.requireEqual(Array(record.source.utf8), of: "the list of images")
    try communicator.requireEqual(Array(record.vae.utf8), of: "the autoencoders")
    let lock = try communicator.agree { communicator.rank == 0 ? try folder.claim() : nil }
    let missing = try communicator.missing {
      try makeFolder(ofResults: options.json)
      return try folder.prepare(record)
    }
    let count = missing.reduce(0) { $0 + record.images(of: $1).count }
    announce(source, record, missing: count)

    let begun = MonotonicClock.now
    try encode(missing, of: source, with: autoencoder, record, in: folder)
    let seconds = MonotonicClock.now - begun
    try communicator.agree {
      guard communicator.rank == 0 else { return }
      let description = try describe(folder, source, autoencoder, record)
      if let lock { try folder.release(lock) }
      try folder.finish(description)
      let report = EncodeReport(
        source: options.source, kind: source.kind, out: options.output, vae: record.vae,
        resolution: record.resolution, shape: description.shape, images: record.images,
        classes: source.classNames.count, scale: description.scale,
        scalingFactor: description.scalingFactor, encoded: count,
        seconds: seconds, imagesPerSecond: seconds > 0 ? Double(count) / seconds : 0)
      if let path = options.json { try writeJSON(report, to: path) }
      log.info(conclusion(report))
    }
  }

  /// Makes this rank's share of the missing files. Collective.
  private func encode(
    _ missing: [Int], of source: ImageSource, with autoencoder: Autoencoder,
    _ record: EncodeRecord, in folder: EncodeFolder
  ) throws {
    let own = communicator.share(of: missing.count).map { missing[$0] }
    let total = own.reduce(0) { $0 + record.images(of: $1).count }
    var line = ProgressLine(
      communicator.title("encoding"), of: total, startedAt: MonotonicClock.now)
    var done = 0
    try communicator.agree {
      try autoencoder.vae.parameters.withPackedWeights {
        for file in own {
          var block = LatentBlock(shape: shape(autoencoder), precision: record.precision)
          let range = record.images(of: file)
          for start in stride(from: range.lowerBound, to: range.upperBound, by: options.batch) {
            let part = start..<min(start + options.batch, range.upperBound)
            let images = try read(part, of: source)
            try add(images, part, with: autoencoder, to: &block)
            for index in part { block.labels.append(Int64(try source.label(of: index) ?? 0)) }
            done += part.count
            log.progress(&line, done: done)
          }
          try folder.write(block, index: file, record)
        }
      }
    }
    log.endProgress()
  }

  /// Encodes images and adds their Gaussians.
  ///
  /// - Parameter part: the images' indices, for errors.
  private func add(
    _ images: [RGBImage], _ part: Range<Int>, with autoencoder: Autoencoder,
    to block: inout LatentBlock
  ) throws {
    for flipped in options.flips ? [false, true] : [false] {
      let (mean, logVariance) = autoencoder.encode(
        flipped ? images.map(\.mirrored) : images, on: context)
      if let index = firstNotFinite(mean) ?? firstNotFinite(logVariance) {
        throw LatentsError.notFinite(
          image: part.lowerBound + index / (mean.count / images.count), vae: options.vae)
      }
      block.add(mean, logVariance, flipped: flipped)
    }
  }

  /// Images as training reads them, cut and resized.
  private func read(_ range: Range<Int>, of source: ImageSource) throws -> [RGBImage] {
    let found = Mutex<[Int: RGBImage]>([:])
    let work = ParallelImageWork(images: source.images, threads: context.threads)
    let broken = try work.run(Array(range)) { _ in
    } on: { index in
      let image = try source.images.image(index).centerSquare(resizedTo: options.resolution)
      found.withLock { $0[index] = image }
    }
    if let first = broken.first {
      throw LatentsError.brokenImage(name: first.name, reason: first.reason)
    }
    let images = found.withLock { $0 }
    return range.compactMap { images[$0] }
  }

  /// [channels, height, width]
  private func shape(_ autoencoder: Autoencoder) -> [Int] {
    let side = options.resolution / autoencoder.vae.settings.factor
    return [autoencoder.vae.settings.latentChannels, side, side]
  }

  private func describe(
    _ folder: EncodeFolder, _ source: ImageSource, _ autoencoder: Autoencoder,
    _ record: EncodeRecord
  ) throws -> LatentsDescription {
    let notes = try folder.notes(record)
    var sums = LatentSums()
    for note in notes { sums.add(note.sums) }
    return LatentsDescription(
      vae: record.vae, factor: autoencoder.vae.settings.factor, shape: shape(autoencoder),
      images: record.images, fileImages: record.fileImages, classes: source.classNames,
      source: options.source, sourceDigest: record.source, precision: record.precision,
      flips: record.flips, scale: sums.scale, scalingFactor: autoencoder.scalingFactor,
      files: notes.map(\.file))
  }

  private func announce(_ source: ImageSource, _ record: EncodeRecord, missing: Int) {
    let before =
      missing < record.images
      ? "; \(record.images - missing) of \(record.images) are there already" : ""
    log.info(
      "encoding \(Format.quantity(missing, "image")) from \(options.source) (\(source.kind)) at"
        + " \(record.resolution) x \(record.resolution)\(record.flips ? ", mirrored too" : ""),"
        + " \(record.precision.rawValue)\(before)")
    log.tell(leftOut: source.leftOut)
  }

  private func conclusion(_ report: EncodeReport) -> String {
    let shape = report.shape
    return "wrote latents of \(Format.quantity(report.images, "image")), \(shape[1]) x \(shape[2])"
      + " with \(shape[0]) channels, to \(options.output); measured scale"
      + " \(String(format: "%.5f", report.scale))"
      + (report.scalingFactor.map { ", the autoencoder says \($0)" } ?? "")
      + "; \(Format.rate(report.imagesPerSecond))"
  }
}
