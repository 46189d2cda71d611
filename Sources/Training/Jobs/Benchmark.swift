import Collectives
import Datasets
import Foundation
import TensorCore

/// `diffit bench`: time of training steps and of sampling, with images made up, and of every operator in
/// them against the peaks of this machine.
public enum Benchmark {
  public static func run(_ options: BenchOptions) throws {
    guard ProcessRank.isFirst else { return }
    var configuration = try options.configuration()
    if configuration.train.threads == 0 { configuration.train.threads = ThreadPool.availableCores }
    if configuration.train.microBatch == 0 {
      configuration.train.microBatch = try Plan(configuration, ranks: 1).microBatch(
        share: configuration.train.batch, threads: configuration.train.threads,
        memory: availableMemory())
    }
    let report = try measure(configuration, images: options.images)
    if options.json != "-" { print(report.text) }
    if let path = options.json { try writeJSON(report, to: path) }
  }

  static func measure(_ configuration: Configuration, images: Int) throws -> BenchReport {
    let profile = OperatorProfile()
    let engine = Engine(threadCount: configuration.train.threads, profile: profile)
    let batch = configuration.train.batch
    let trainer = try trainer(configuration, on: engine)
    try trainer.step()  // fills the memory pool and the caches
    let steps = try (0..<max(1, (images + batch - 1) / batch)).map { _ in
      try seconds(of: trainer.step)
    }
    let peakRSS = peakMemoryBytes()  // before anything that is not a step takes memory
    let training = try Breakdown(by: profile) { try trainer.step() }
    let drawn = (trainer.objective as? DenoisingObjective).map {
      SamplingTiming.measure(
        $0.model, Drawing(configuration.sample, configuration), on: engine, profile: profile)
    }
    engine.memory.trim()
    let peaks = MachinePeaks(of: engine, streamBytes: streamBytes())
    let step = Spread(of: steps)
    let dtype = configuration.train.precision.dtype
    return BenchReport(
      precision: configuration.train.precision, threads: configuration.train.threads,
      batch: batch, microBatch: configuration.train.microBatch, kernels: engine.kernels.level,
      step: step,
      flops: Double(Plan(configuration, ranks: 1).flopsPerImage) * Double(batch),
      peakRSSBytes: peakRSS, sampling: drawn?.timing, peaks: peaks,
      openBLAS: .measure(inputs: configuration.networkWidths[0], on: engine),
      training: Roofline(of: training, under: peaks, dtype),
      call: drawn.map { Roofline(of: $0.call, under: peaks, dtype) })
  }

  /// A trainer that is given the same images again and again: this rank's share of each batch.
  ///
  /// - Parameter pixels: makes their elements, of which there are as many as it is told.
  static func trainer(
    _ configuration: Configuration, over communicator: any Communicator = SingleCommunicator(),
    on engine: Engine, pixels: (Int) -> [Float] = Benchmark.pixels
  ) throws -> Trainer {
    let share = configuration.share(rank: communicator.rank, of: communicator.size)
    let batch = share.count
    let objective = configuration.objective()
    let images = pixels(objective.imageShape(batch: batch).count)
    var next = share.lowerBound
    return Trainer(configuration, over: communicator, on: engine) {
      defer { next += configuration.train.batch }
      return Batch(
        positions: (next..<next + batch).map { UInt64($0) }, images: images,
        labels: (0..<batch).map { $0 % max(configuration.model.classes, 1) },
        augmentLabels: [Float](repeating: 0, count: batch * objective.augmentLabels))
    }
  }

  private static func pixels(_ count: Int) -> [Float] {
    let stream = RandomStream(seed: 0, .test, position: 0)
    return (0..<count).map { Float(2 * stream.uniform($0) - 1) }
  }

  static func seconds(of body: () throws -> Void) rethrows -> Double {
    let start = PhaseClock.now
    try body()
    return PhaseClock.now - start
  }

  /// Four times the last-level cache (Linux tells its size), at most a quarter of the memory.
  private static func streamBytes() -> Int {
    let folder = "/sys/devices/system/cpu/cpu0/cache"
    let caches = Doctor.names(in: folder).compactMap { name -> Int? in
      let text = Doctor.text("\(folder)/\(name)/size")  // such as 32768K
      return Int(text.prefix { $0.isNumber }).map { $0 << 10 }
    }
    return min(max(4 * (caches.max() ?? 0), 256 << 20), availableMemory() / 4)
  }
}

/// Several times of one thing.
package struct Spread: Codable, Equatable, Sendable {
  package let min: Double
  package let median: Double
  package let max: Double

  /// - Parameter times: at least one.
  package init(of times: [Double]) {
    invariant(!times.isEmpty, "Spread: no times")
    let sorted = times.sorted()
    (min, median, max) = (sorted[0], sorted[sorted.count / 2], sorted[sorted.count - 1])
  }
}
