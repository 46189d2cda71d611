import Autodiff
import Checkpoints
import Collectives
import Datasets
import DiffiTModels
import Diffusion
import Foundation
import TensorCore

/// `diffit sample`.
public enum SampleJob {
  public static func run(_ options: SampleOptions) throws {
    try Job.run { communicator, log in
      let (restored, passedOver) = try communicator.agree {
        try refuseUnbuilt(options)
        return try restore(options)
      }
      if communicator.rank == 0 {
        for passed in passedOver { log.warning("passed over: \(passed.reason.finding)") }
      }
      let engine = Engine(
        threadCount: try CoreShare(of: communicator).threads,
        kernels: try communicator.agreedKernels())
      let sampler = try communicator.agree { try restored.sampler(options, on: engine) }
      try communicator.agree {
        try FileOutput.makeFolder(options.output)
        // Told now rather than after hours of sampling.
        if let grid = options.grid { try FileOutput.makeFolder(folder(of: grid)) }
      }
      let seeds = Array(options.seeds)
      log.info(
        "sampling \(seeds.count) images of \(restored.reader.url.lastPathComponent)"
          + " (\(restored.vector)), \(sampler.levels.steps) steps")
      let own = communicator.share(of: seeds.count).map { seeds[$0] }
      var progress = ProgressLine(
        communicator.size > 1 ? "sampling on rank 0" : "sampling", of: own.count,
        startedAt: PhaseClock.now)
      let side = restored.configuration.model.resolution
      var (done, kept) = (0, [Float]())
      try communicator.agree {
        try sampler.draw(seeds: own, label: options.label) { seeds, pixels in
          try write(pixels, seeds: seeds, side: side, to: options.output)
          if options.grid != nil { kept += pixels }
          done += seeds.count
          log.progress(&progress, done: done)
        }
      }
      log.endProgress()
      if let grid = options.grid {
        let all = try communicator.gather(kept)
        try communicator.agree {
          if communicator.rank == 0 { try ImageGrid.writePNG(all, side: side, to: grid) }
        }
      }
      log.info(
        "wrote \(seeds.count) PNG files to \(options.output)"
          + (options.grid.map { " and the grid \($0)" } ?? ""))
    }
  }

  private static func refuseUnbuilt(_ options: SampleOptions) throws {
    if options.output.hasSuffix(".npz") || options.output.hasSuffix(".zip") {
      throw ConfigurationError.notBuilt(
        key: "--out", at: "sample", found: options.output,
        remedy: "name a folder for PNG files")
    }
    if options.trajectory != nil {
      throw ConfigurationError.notBuilt(
        key: "--trajectory", at: "sample", found: "a file", remedy: "leave it out")
    }
  }

  private static func restore(_ options: SampleOptions) throws -> (
    RestoredModel, [CheckpointStore.PassedOver]
  ) {
    let (reader, passedOver) = try CheckpointReader.find(options.checkpoint)
    return (try RestoredModel(reader, ema: options.ema), passedOver)
  }

  private static func folder(of path: String) -> String {
    URL(fileURLWithPath: path).deletingLastPathComponent().path
  }

  private static func write(
    _ images: [Float], seeds: [UInt64], side: Int, to folder: String
  ) throws {
    let size = side * side * 3
    for (index, seed) in seeds.enumerated() {
      let pixels = ImageGrid.bytes(Array(images[index * size..<(index + 1) * size]))
      let name = String(format: "%06llu", seed)
      try ImageFile.writePNG(
        RGBImage(width: side, height: side, pixels: pixels), to: "\(folder)/\(name).png")
    }
  }
}

/// A network as a checkpoint describes it.
struct RestoredModel {
  let reader: CheckpointReader
  let configuration: Configuration
  /// Which flat vector its weights are.
  let vector: String

  /// - Parameter ema: nil: the first average, or the weights where there is none; `raw`: the weights.
  init(_ reader: CheckpointReader, ema: String?) throws {
    self.reader = reader
    configuration = try Configuration(dotted: reader.manifest.configuration)
    let names = reader.manifest.vectors.filter { $0.hasPrefix("ema.") }.map {
      String($0.dropFirst(4))
    }
    if let ema, ema != "raw", !names.contains(ema) {
      throw TrainingError.noAverage(name: ema, present: names, checkpoint: reader.url.path)
    }
    let chosen = ema ?? names.first ?? "raw"
    vector = chosen == "raw" ? VectorName.weights : VectorName.ema(chosen)
  }

  func sampler(_ options: SampleOptions, on engine: Engine) throws -> ImageSampler {
    let classes = configuration.model.classes
    if let label = options.label, label >= classes {
      throw TrainingError.labelOutOfRange(label: label, classes: classes)
    }
    let model = ImageDiffiT(
      configuration.networkSettings, precision: configuration.train.precision.dtype)
    guard model.parameters.table == reader.manifest.table else {
      throw TrainingError.otherNetwork(checkpoint: reader.url.path, differences: [])
    }
    model.parameters.allocate(on: engine, gradients: false)
    try reader.read(vector, 0..<model.parameters.flatCount, into: model.parameters.weights)
    let diffusion = configuration.diffusion
    var sampler = ImageSampler(
      model: model,
      edm: EDM(pMean: diffusion.pMean, pStd: diffusion.pStd, sigmaData: diffusion.sigmaData),
      sampler: options.sampler.makeSampler(),
      levels: .edm(steps: options.steps ?? configuration.sample.steps), engine: engine)
    sampler.guidance.scale = options.guidance
    return sampler
  }
}

extension Configuration {
  /// The configuration that a manifest holds; facts about the run that are no settings are left out.
  init(dotted: [String: String]) throws(ConfigurationError) {
    let known = dotted.filter { $0.key != TrainRun.contentKey }
    // Entries of a list in their order: ema.2 before ema.10.
    let settings = known.map { "\($0.key)=\($0.value)" }
      .sorted { $0.compare($1, options: .numeric) == .orderedAscending }
    try self.init(file: nil, overrides: settings)
  }
}
