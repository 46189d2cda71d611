import Collectives
import Datasets
import DiffiTModels
import Diffusion
import Foundation
import TensorCore

/// `diffit bench`: time of training steps and of sampling, with images made up.
public enum Benchmark {
  public static func run(_ options: BenchOptions) throws {
    guard ProcessRank.isFirst else { return }
    var configuration = try options.configuration()
    if configuration.train.threads == 0 { configuration.train.threads = ThreadPool.availableCores }
    if configuration.train.microBatch == 0 {
      configuration.train.microBatch = Plan(configuration, ranks: 1).microBatch(
        share: configuration.train.batch, threads: configuration.train.threads,
        memory: availableMemory())
    }
    let report = try measure(configuration, images: options.images)
    if options.json != "-" { print(report.text) }
    if let path = options.json { try writeJSON(report, to: path) }
  }

  static func measure(_ configuration: Configuration, images: Int) throws -> BenchReport {
    let engine = Engine(threadCount: configuration.train.threads)
    let batch = configuration.train.batch
    let pixels = randomImages(configuration)
    var next = 0
    let trainer = Trainer(configuration, over: SingleCommunicator(), on: engine) {
      defer { next += batch }
      let augment = configuration.networkSettings.augmentLabels
      return Batch(
        positions: (next..<next + batch).map { UInt64($0) }, images: pixels,
        labels: (0..<batch).map { $0 % max(configuration.model.classes, 1) },
        augmentLabels: [Float](repeating: 0, count: batch * augment))
    }
    try trainer.step()  // fills the memory pool and the caches
    var times: [Double] = []
    for _ in 0..<max(1, (images + batch - 1) / batch) {
      let start = PhaseClock.now
      try trainer.step()
      times.append(PhaseClock.now - start)
    }
    let peak = peakResidentBytes()
    times.sort()
    let median = times[times.count / 2]
    let plan = Plan(configuration, ranks: 1)

    // Two Heun steps are three network calls; a full sample costs 2 * steps - 1.
    var heun = HeunSampler()
    heun.steps = 2
    let sampler = ImageSampler(
      model: trainer.model, edm: trainer.edm, sampler: heun, engine: engine)
    let seeds = (0..<UInt64(min(batch, 16))).map { $0 }
    _ = sampler.images(seeds: seeds)
    let start = PhaseClock.now
    _ = sampler.images(seeds: seeds)
    let call = (PhaseClock.now - start) / 3 / Double(seeds.count)
    return BenchReport(
      precision: "\(configuration.train.precision)", threads: configuration.train.threads,
      batch: batch, microBatch: configuration.train.microBatch,
      kernels: "\(engine.kernels.level)",
      trainImagesPerSecond: Double(batch) / median,
      trainStepSeconds: .init(min: times[0], median: median, max: times[times.count - 1]),
      sampleImagesPerSecond: 1 / (call * Double(2 * configuration.sample.steps - 1)),
      peakRSSBytes: peak,
      gflopsPerSecond: Double(plan.flopsPerImage) * Double(batch) / median / 1e9,
      operators: OperatorTiming.measure(configuration.networkSettings, on: engine))
  }

  private static func randomImages(_ configuration: Configuration) -> [Float] {
    let count = configuration.networkSettings.imageShape(batch: configuration.train.batch).count
    let stream = RandomStream(seed: 0, .test, position: 0)
    return (0..<count).map { Float(2 * stream.uniform($0) - 1) }
  }
}

/// What `diffit bench` found.
struct BenchReport: Codable, Sendable {
  struct Seconds: Codable, Sendable {
    let min: Double
    let median: Double
    let max: Double
  }

  let precision: String
  let threads: Int
  let batch: Int
  let microBatch: Int
  let kernels: String
  let trainImagesPerSecond: Double
  let trainStepSeconds: Seconds
  let sampleImagesPerSecond: Double
  let peakRSSBytes: Int
  /// Of the whole training step, counting matrix products and attention.
  let gflopsPerSecond: Double
  let operators: [OperatorTiming]

  enum CodingKeys: String, CodingKey {
    case precision, threads, batch, kernels, operators
    case microBatch = "micro_batch"
    case trainImagesPerSecond = "train_images_per_second"
    case trainStepSeconds = "train_step_seconds"
    case sampleImagesPerSecond = "sample_images_per_second"
    case peakRSSBytes = "peak_rss_bytes"
    case gflopsPerSecond = "gflops_per_second"
  }

  var text: String {
    let step = trainStepSeconds
    func seconds(_ value: Double) -> String { String(format: "%.3f s", value) }
    let lines = [
      "\(precision), \(threads) threads, batch \(batch) in micro-batches of \(microBatch),"
        + " kernels \(kernels)",
      "training  \(String(format: "%.2f", trainImagesPerSecond)) images/s; step"
        + " \(seconds(step.min)) / \(seconds(step.median)) / \(seconds(step.max)) (min, median, max);"
        + " \(String(format: "%.0f", gflopsPerSecond)) GFLOP/s",
      "sampling  \(String(format: "%.2f", sampleImagesPerSecond)) images/s",
      "memory    \(Display.bytes(peakRSSBytes)) at most",
    ]
    return (lines + ["operators of the finest stage"] + operators.map { "  \($0.text)" })
      .joined(separator: "\n")
  }
}
