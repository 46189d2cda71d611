import COpenBLAS
import Collectives
import Datasets
import DiffiTModels
import Diffusion
import Foundation
import Operators
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
    let rows = operators.map {
      "  \($0.name)  \(String(format: "%.2f ms", $0.seconds * 1e3))"
        + "  \(String(format: "%.0f", $0.gflopsPerSecond)) GFLOP/s"
    }
    return (lines + ["operators (forward)"] + rows).joined(separator: "\n")
  }
}

/// One matrix product, measured by itself.
struct OperatorTiming: Codable, Sendable {
  let name: String
  let seconds: Double
  let gflopsPerSecond: Double

  enum CodingKeys: String, CodingKey {
    case name, seconds
    case gflopsPerSecond = "gflops_per_second"
  }

  /// The finest stage's convolution and MLP product, and OpenBLAS on the same matrices for comparison.
  static func measure(_ settings: ImageDiffiT.Settings, on engine: Engine) -> [OperatorTiming] {
    let (images, side, width) = (8, settings.resolution, settings.channels[0])
    let rows = images * side * side
    let x = filled([images, side, side, width], on: engine)
    let kernel = filled([3, 3, width, width], on: engine)
    let weight = filled([width, 4 * width], on: engine)
    let y = Tensor([rows, 4 * width], on: engine)
    return [
      time("conv 3x3 \(side)x\(side) \(width)->\(width)", flops: 18 * rows * width * width) {
        _ = ConvolutionOperator.forward(x, weight: kernel, bias: nil, kind: .same)
      },
      time("linear \(rows) rows \(width)->\(4 * width)", flops: 8 * rows * width * width) {
        _ = LinearOperator.forward(x, weight: weight, bias: nil)
      },
      time("the same by OpenBLAS, one thread", flops: 8 * rows * width * width) {
        OpenBLAS.product(x.reshaped([rows, width]), weight, into: y)
      },
    ]
  }

  private static func filled(_ shape: Shape, on engine: Engine) -> Tensor {
    let tensor = Tensor(shape, on: engine)
    tensor.withFloats {
      RandomStream(seed: 0, .test, substream: 1, position: 0)
        .fillNormals($0, count: shape.count)
    }
    return tensor
  }

  private static func time(_ name: String, flops: Int, _ body: () -> Void) -> OperatorTiming {
    body()
    let best =
      (0..<5).map { _ in
        let start = PhaseClock.now
        body()
        return PhaseClock.now - start
      }.min() ?? 0
    return OperatorTiming(
      name: name, seconds: best, gflopsPerSecond: Double(flops) / max(best, 1e-9) / 1e9)
  }
}
