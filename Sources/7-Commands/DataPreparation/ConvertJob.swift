import Collectives
import CommandSupport
import Datasets
import Foundation
import SystemSupport
import TensorCore

/// `diffit data convert`. Each thread of each rank writes PNG files of images of its own; an
/// archive is packed from them at the end.
package enum ConvertJob {
  /// Converts, and goes on with a conversion that was interrupted.
  package static func run(_ options: ConvertOptions) throws {
    try Job.run(json: options.json) { communicator, log in
      let count = try CoreShare(of: communicator).threads
      let threads = try communicator.agree { try ThreadPool(threadCount: count) }
      let conversion = Conversion(
        options: options, communicator: communicator, log: log, threads: threads)
      try conversion.run()
    }
  }
}

/// The result as JSON.
struct ConvertReport: Encodable {
  let source: String
  let kind: String
  let out: String
  let resolution: Int
  let transform: String
  let filter: String?
  /// Files of the source that are no images, by kind.
  let leftOut: [String: Int]
  let classes: Int
  /// Images in the result.
  let images: Int
  let broken: Int
  let brokenImages: [BrokenImage]
  /// Images converted by this job; others were there already.
  let converted: Int
  /// Seconds of converting and packing.
  let seconds: Double
  /// Images per second while converting.
  let imagesPerSecond: Double

  enum CodingKeys: String, CodingKey {
    case source, kind, out, resolution, transform, filter, classes, images, broken, converted
    case seconds
    case leftOut = "left_out"
    case brokenImages = "broken_images"
    case imagesPerSecond = "images_per_second"
  }
}

/// One conversion.
private struct Conversion {
  let options: ConvertOptions
  let communicator: any Communicator
  let log: RunLog
  let threads: ThreadPool

  func run() throws {
    let source = try communicator.agree {
      try OutputPlace.requireAbsent(options.output)
      return try ImageSource(path: options.source)
    }
    let count = min(options.maxImages ?? source.count, source.count)
    let folder = ConvertFolder(of: options)
    let record = ConvertRecord(
      source: try source.listDigest(by: folder.digestAlgorithm), images: count, options: options)
    try communicator.requireEqual(Array(record.source.utf8), of: "the list of images")
    let lock = try communicator.agree { communicator.rank == 0 ? try folder.claim() : nil }
    let missing = try communicator.missing {
      try makeFolder(ofResults: options.json)
      return try folder.prepare(record)
    }
    announce(source, count: count, missing: missing.count)

    let begun = MonotonicClock.now
    let broken = try convert(missing, of: source, in: folder)
    let converting = MonotonicClock.now - begun
    try communicator.agree {
      guard communicator.rank == 0 else { return }
      log.list(broken)
      let images = count - broken.count
      var failure: PreparationError?
      if broken.count > options.maxBroken || images == 0 {
        failure = .tooManyBroken(
          source: options.source, broken: broken.count, limit: options.maxBroken)
      } else {
        if let lock { try folder.release(lock) }
        try finish(folder, source, count: count, broken: broken)
      }
      let converted = missing.count - broken.count
      let report = ConvertReport(
        source: options.source, kind: source.kind, out: options.output,
        resolution: options.resolution, transform: record.transform, filter: record.filter,
        leftOut: source.leftOut.counts, classes: source.classNames.count, images: images,
        broken: broken.count, brokenImages: broken, converted: converted,
        seconds: MonotonicClock.now - begun,
        imagesPerSecond: converting > 0 ? Double(converted) / converting : 0)
      if let path = options.json { try writeJSON(report, to: path) }
      if let failure { throw failure }
      log.info(conclusion(report))
    }
  }

  /// Converts this rank's share of the missing images. Collective.
  ///
  /// - Returns: the broken images of all ranks, in order.
  private func convert(
    _ missing: [Int], of source: ImageSource, in folder: ConvertFolder
  ) throws -> [BrokenImage] {
    let own = communicator.share(of: missing.count).map { missing[$0] }
    var line = ProgressLine(
      communicator.title("converting"), of: own.count, startedAt: MonotonicClock.now)
    let work = ParallelImageWork(images: source.images, threads: threads)
    let mine = try communicator.agree {
      try work.run(own) {
        log.progress(&line, done: $0)
      } on: { index in
        let image = options.transform(
          try source.images.image(index), side: options.resolution, filter: options.filter)
        try folder.write(image, index: index)
      }
    }
    log.endProgress()
    let encoded = try communicator.agree { Array(try JSONEncoder().encode(mine)) }
    let all = try communicator.gather(encoded)
    return try communicator.agree {
      try all.flatMap { try JSONDecoder().decode([BrokenImage].self, from: Data($0)) }
    }
  }

  private func finish(
    _ folder: ConvertFolder, _ source: ImageSource, count: Int, broken: [BrokenImage]
  ) throws {
    let lost = Set(broken.map(\.index))
    let made = (0..<count).filter { !lost.contains($0) }
    let labels = try made.compactMap { index in
      try source.label(of: index).map { (PackedLayout.name(of: index), $0) }
    }
    let labelFile = PackedLayout.labelFile(
      source.isLabelled ? labels : nil, classNames: source.classNames)
    var line = ProgressLine("packing", of: made.count, startedAt: MonotonicClock.now)
    try folder.finish(made, labelFile: labelFile, as: options) { log.progress(&line, done: $0) }
    log.endProgress()
  }

  private func announce(_ source: ImageSource, count: Int, missing: Int) {
    let classes = source.isLabelled ? " of \(source.classNames.count) classes" : ""
    let before = missing < count ? "; \(count - missing) of \(count) are there already" : ""
    log.info(
      "converting \(Format.quantity(missing, "image"))\(classes) from \(options.source)"
        + " (\(source.kind)) to \(options.resolution) x \(options.resolution),"
        + " \(options.transform.rawValue)\(before)")
    log.tell(leftOut: source.leftOut)
  }

  private func conclusion(_ report: ConvertReport) -> String {
    let broken =
      report.broken > 0 ? ", \(Format.quantity(report.broken, "broken image")) left out" : ""
    return "wrote \(Format.quantity(report.images, "image")) to \(options.output)\(broken);"
      + " \(Format.rate(report.imagesPerSecond))"
  }
}
