import CommandSupport
import Datasets
import FileFormats
import Foundation
import Images
import ModelLoading
import SystemSupport
import TensorCore

/// `diffit sample`. Each rank writes the PNG files of its own seeds; an archive is packed from them
/// at the end.
package enum SampleJob {
  /// Samples what is not there yet, on all ranks, and writes what the options ask for.
  package static func run(_ options: SampleOptions) throws {
    try Job.run { communicator, log in
      let loaded = try LoadedModel.find(
        options.checkpoint, ema: options.sampling.ema, config: options.config,
        over: communicator, log: log)
      let context = try communicator.agreedContext()
      let seeds = Array(options.seeds)
      let (sampler, record) = try communicator.agree {
        let sampling = try options.sampling.naming(classesOf: loaded)
        let sampler = try ImageSampler(loaded, sampling, on: context)
        var record = try SampleRecord(loaded, sampling, guide: sampler.guide)
        if let decoder = sampler.decoder {
          (record.vae, record.latentScale) = (decoder.autoencoder.digest, decoder.scale)
        }
        record.classes = SampleFolder.classes(of: seeds, sampler.labels(of: seeds))
        record.classNames = record.classes == nil ? nil : loaded.knownClassNames
        return (sampler, record)
      }
      let folder = SampleFolder(path: options.workFolder)
      let lock = try communicator.agree { communicator.rank == 0 ? try folder.claim() : nil }
      let missing = try communicator.missing {
        // A place that cannot be written to is reported now rather than after hours of sampling.
        for file in [options.grid, options.trajectory].compactMap(\.self) {
          try FileOutput.makeFolder(ofFile: file)
        }
        return try folder.prepare(record, seeds: seeds)
      }.map { seeds[$0] }
      announce(record, seeds: seeds.count, missing: missing.count, log)
      let own = communicator.share(of: missing.count).map { missing[$0] }
      var progress = ProgressLine(
        communicator.title("sampling"), of: own.count, startedAt: MonotonicClock.now)
      var done = 0
      try communicator.agree {
        try sampler.sample(seeds: own) { seed, image in
          try folder.write(image, seed: seed)
          done += 1
          log.progress(&progress, done: done)
        }
      }
      log.endProgress()
      try communicator.agree {
        guard communicator.rank == 0 else { return }
        if let path = options.trajectory {
          try Trajectory(sampler, seeds: Array(seeds.prefix(Trajectory.rows))).write(to: path)
        }
        if let path = options.grid { try writeGrid(of: seeds, in: folder, to: path) }
        if let lock { try folder.release(lock) }
        try options.pack(folder, seeds: seeds, labels: sampler.labels(of: seeds), log)
      }
      log.info(options.conclusion(count: seeds.count))
    }
  }

  private static func announce(
    _ record: SampleRecord, seeds: Int, missing: Int, _ log: RunLog
  ) {
    let before = seeds - missing
    log.info(
      "sampling \(Format.quantity(missing, "image")) of \(record.summary)"
        + (before > 0 ? "; \(before) of \(seeds) are there already" : ""))
  }

  private static func writeGrid(
    of seeds: [UInt64], in folder: SampleFolder, to path: String
  ) throws {
    let images = try seeds.map { try ImageFile.read(folder.file(seed: $0)) }
    try ImageGrid.writePNG(images, to: path)
  }
}

extension SampleOptions {
  /// The last line of the log.
  fileprivate func conclusion(count: Int) -> String {
    let what = PackedImages.Format(path: output) == nil ? "PNG file" : "image"
    let more = [grid.map { "the grid \($0)" }, trajectory.map { "the trajectory \($0)" }]
      .compactMap(\.self)
    return (["wrote \(Format.quantity(count, what)) in \(output)"] + more).joined(separator: ", ")
  }
}

extension SampleOptions {
  /// The folder where images are gathered. A job that was killed leaves it, and the next one
  /// continues there.
  var workFolder: String {
    PackedImages.Format(path: output) == nil ? output : "\(output).partial"
  }

  /// Turns the folder into the archive that was asked for.
  fileprivate func pack(
    _ folder: SampleFolder, seeds: [UInt64], labels: [Int]?, _ log: RunLog
  ) throws {
    guard let format = PackedImages.Format(path: output) else { return }
    var progress = ProgressLine("packing", of: seeds.count, startedAt: MonotonicClock.now)
    try PackedImages.pack(
      seeds.map(SampleFolder.name), in: folder.path, labels: labels, as: format, to: output
    ) { log.progress(&progress, done: $0) }
    log.endProgress()
    try FileManager.default.removeItem(atPath: folder.path)
  }
}
