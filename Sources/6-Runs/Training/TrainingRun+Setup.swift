import Checkpoints
import CommandSupport
import Configuration
import Datasets
import DiffiTModels
import Foundation
import ModelLoading
import RunData
import SystemSupport
import TensorCore

extension TrainingRun {
  /// Throws where another rank does not see the run directory that the first one has claimed.
  /// Collective.
  func checkDirectoryIsShared() throws {
    guard communicator.size > 1 else { return }
    let hosts = try communicator.hosts()
    let token = String(
      decoding: try communicator.broadcast(Array(UUID().uuidString.utf8)), as: UTF8.self)
    func probe(_ rank: Int) -> String { "\(directory.path)/.probe-\(token)-\(rank)" }
    defer { try? FileManager.default.removeItem(atPath: probe(communicator.rank)) }
    try communicator.agree {
      do {
        try directory.write("", to: probe(communicator.rank))
      } catch {
        throw TrainingError.runNotShared(run: directory.path, host: communicator.host)
      }
    }
    try communicator.agree {
      guard communicator.rank == 0 else { return }
      for (rank, host) in hosts.enumerated()
      where !FileManager.default.fileExists(atPath: probe(rank)) {
        throw TrainingError.runNotShared(run: directory.path, host: host)
      }
    }
  }

  /// The checkpoint to resume: the first rank chooses and verifies it, and the others open the same
  /// one. Collective.
  func commonCheckpoint() throws -> CheckpointReader? {
    let chosen = try communicator.agree {
      communicator.rank == 0 ? try chooseCheckpoint() : nil
    }
    let path = try communicator.broadcast(Array((chosen?.url.path ?? "").utf8))
    guard !path.isEmpty else { return nil }
    let reader = try communicator.agree {
      try chosen
        ?? CheckpointReader(
          URL(fileURLWithPath: String(decoding: path, as: UTF8.self)), verifying: false)
    }
    let shards = reader.manifest.shards.map(\.checksum).joined(separator: " ")
    try communicator.requireEqual(Array(shards.utf8), of: "the checkpoints found")
    return reader
  }

  /// The checkpoint that `--resume` asks for; nil where the run starts from the beginning.
  private func chooseCheckpoint() throws -> CheckpointReader? {
    let store = directory.checkpoints
    switch options.resume {
    case .never:
      let count = try store.list().count
      guard count == 0 else {
        throw TrainingError.runHasCheckpoints(run: directory.path, count: count)
      }
      return nil
    case .auto:
      guard let found = try store.newestGood() else { return nil }
      for passed in found.passedOver { log.warning("passed over: \(passed.reason)") }
      return found.checkpoint
    case .checkpoint(let path):
      let (reader, passedOver) = try CheckpointReader.find(path)
      for passed in passedOver { log.warning("passed over: \(passed.reason)") }
      if let newest = try store.list().last, newest.images > reader.manifest.imagesSeen,
        !options.force
      {
        throw TrainingError.newerCheckpoints(
          run: directory.path, resumed: reader.url.lastPathComponent,
          newest: newest.url.lastPathComponent)
      }
      return reader
    }
  }

  /// Throws where the checkpoint was made with another network, other data or other values of
  /// settings that a run keeps from its first step to its last.
  func refuseMismatch(_ checkpoint: CheckpointReader) throws {
    let saved = checkpoint.manifest.configuration
    var differences = configuration.differences(from: saved)
    if let latents = data.latents, let before = saved[LatentMetadata.vaeKey],
      before != latents.vae, !options.force
    {
      throw LatentsError.otherAutoencoder(
        what: "data.path: \(configuration.data.path)", found: latents.vae, expected: before)
    }
    for (key, value) in data.facts.sorted(by: { $0.key < $1.key })
    where key != ManifestKey.classNames {
      guard let before = saved[key], before != value else { continue }
      if key == ManifestKey.content,
        try data.samples.contentDigest(by: DigestAlgorithm(of: before)) == before
      {
        continue
      }
      differences.append(ConfigurationDifference(key: key, saved: before, current: value))
    }
    guard checkpoint.manifest.table == configuration.parameterTable else {
      // Not even --force puts one network's weights into another.
      throw ModelError.otherNetwork(
        checkpoint: checkpoint.url.path, differences: differences.map(\.description))
    }
    if !differences.isEmpty && !options.force {
      throw ConfigurationError.differsFromRun(
        checkpoint: checkpoint.url.path, differences: differences)
    }
  }

  /// Prepares the run directory: writes the settings, opens the log, and removes rows of statistics
  /// that lie after the start.
  func prepareDirectory(resumedAt images: Int) throws {
    try directory.checkpoints.clearLeftovers()
    try directory.averages.removeNewer(than: images)
    let (chosen, own) = (configuration.train, asked.train)
    let notes = [
      own.threads == 0 ? "train.threads \(chosen.threads)" : nil,
      own.microBatch == 0 ? "train.micro_batch \(chosen.microBatch)" : nil,
    ].compactMap(\.self)
    // Values that the run has chosen are not settings: another machine chooses for itself.
    let comment =
      notes.isEmpty ? "" : "# Chosen at the last start: \(notes.joined(separator: ", "))\n"
    try directory.write(asked.yaml + comment, to: directory.config)
    let unreadable = try StatsFile.truncate(directory.stats, afterImages: images).unreadable
    if unreadable > 0 {
      log.warning(
        "\(directory.stats.path): \(Format.quantity(unreadable, "line")) that could not be read as"
          + " JSON, such as a row that was cut off, removed")
    }
    try? FileManager.default.removeItem(atPath: directory.stopped)
    try log.open(directory.log)
  }

  /// Logs the run's header: network, data, ranks, batch, and what it goes on from.
  func announce(_ trainer: Trainer, _ resumed: CheckpointReader?) throws {
    let (ranks, threads) = (communicator.size, configuration.train.threads)
    let plan = ResourcePlan(configuration, ranks: ranks)
    let memory = try plan.memory(microBatch: configuration.train.microBatch)
    log.info(
      "\(configuration.model.title): \(plan.parameterCount) parameters,"
        + " \(configuration.model.summary)"
    )
    log.info(
      "data: \(configuration.data.kind)"
        + (configuration.data.kind == .shapes ? "" : " at \(configuration.data.path)")
        + ", \(data.samples.count) images")
    log.tell(leftOut: data.samples.leftOut)
    if let warning = (data.samples as? LatentDataset)?.scaleWarning, communicator.rank == 0 {
      log.warning(warning)
    }
    if let latents = data.latents {
      log.info(
        "latents: times \(latents.scale), of autoencoder \(latents.vae)"
          + (configuration.data.vae.isEmpty
            ? "; no grids of samples: data.vae is empty" : " at \(configuration.data.vae)"))
    }
    log.info(
      "ranks: \(ranks) x \(Format.quantity(threads, "thread")),"
        + " kernels \(context.kernels.level.summary), \(configuration.train.precision);"
        + " MPI: \(communicator.library)")
    if configuration.train.precision == .bf16, let least = configuration.networkWidths.min(),
      least < ImageDiffiT.Settings.leastBF16Width
    {
      log.info(
        "parts of less than \(ImageDiffiT.Settings.leastBF16Width) channels are fp32 in bf16 too")
    }
    if ranks > 1 || configuration.parallel.reduction == .reproducible {
      log.info("sums over ranks: \(configuration.parallel.summary)")
    }
    try log.sharedWarning(
      context.kernels.level.warning(of: configuration.train.precision), over: communicator)
    if communicator.rank == 0 { configuration.warnings.forEach(log.warning) }
    let steps =
      (configuration.train.images - trainer.imagesSeen + configuration.train.batch - 1)
      / configuration.train.batch
    log.info(
      "batch: \(configuration.train.batch) images, in micro-batches of"
        + " \(configuration.train.microBatch) per rank;"
        + " \(Format.quantity(max(steps, 0), "step"))"
        + " to \(Format.count(configuration.train.images)) images;"
        + " memory per rank about \(Format.bytes(memory.total))"
    )
    if let resumed {
      log.info(
        "resumed from \(resumed.url.path) (\(trainer.imagesSeen) images,"
          + " written by \(Format.quantity(resumed.manifest.worldSize, "rank")))")
      if options.initialWeights != nil { log.info("--init is left aside: the run has begun") }
      let build = Build.description(kernels: context.kernels.level)
      if resumed.manifest.build != build {
        log.warning(
          "the checkpoint was written by \(resumed.manifest.build), this is \(build):"
            + " results may differ in the last bits")
      }
    } else if let path = options.initialWeights {
      log.info("weights from \(path), fresh optimiser state")
    }
    log.info("run directory: \(directory.path)")
  }
}
