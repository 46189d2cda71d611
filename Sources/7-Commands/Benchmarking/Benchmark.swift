import CommandSupport
import Configuration
import Foundation
import Sampling
import SystemSupport
import TensorCore
import Training

/// `diffit bench`: time of training steps and of sampling, with images made up, and of every
/// operator in them against the peaks of this machine.
package enum Benchmark {
  /// Measures and reports; only the first process does anything.
  package static func run(_ options: BenchOptions) throws {
    guard ProcessRank.isFirst else { return }
    var configuration = try options.configuration()
    if configuration.train.threads == 0 { configuration.train.threads = ThreadPool.availableCores }
    if configuration.train.microBatch == 0 {
      configuration.train.microBatch = try ResourcePlan(configuration, ranks: 1).microBatch(
        share: configuration.train.batch, threads: configuration.train.threads,
        memory: availableMemory())
    }
    let report = try measure(configuration, images: options.images)
    if options.json != "-" { try StandardStreams.printLine(report.text) }
    if let path = options.json { try writeJSON(report, to: path) }
  }

  static func measure(_ configuration: Configuration, images: Int) throws -> BenchReport {
    let profile = OperatorProfile()
    let context = try ComputeContext(threadCount: configuration.train.threads, profile: profile)
    let batch = configuration.train.batch
    let trainer = Trainer.synthetic(configuration, on: context)
    try trainer.step()  // fills the memory pool and the caches
    _ = trainer.lap()
    let steps = try (0..<max(1, (images + batch - 1) / batch)).map { _ in
      try seconds(of: trainer.step)
    }
    let optimizer = trainer.lap().optimizer / Double(steps.count)
    let peakRSS = peakMemoryBytes()  // before anything that is not a step takes memory
    let training = try Breakdown(by: profile) { try trainer.step() }
    let drawn = (trainer.task as? DiffusionTask).map {
      SamplingTiming.measure(
        $0.model, SamplingParameters(configuration.sample, configuration), on: context,
        profile: profile)
    }
    context.memory.trim()
    let peaks = MachinePeaks(of: context, streamBytes: streamBytes())
    let step = TimingSummary(of: steps)
    let dtype = configuration.train.precision.dtype
    return BenchReport(
      precision: configuration.train.precision, threads: configuration.train.threads,
      batch: batch, microBatch: configuration.train.microBatch, kernels: context.kernels.level,
      step: step, optimizer: configuration.optimizer.kind, optimizerSeconds: optimizer,
      flops: Double(ResourcePlan(configuration, ranks: 1).flopsPerImage) * Double(batch),
      peakRSSBytes: peakRSS, sampling: drawn?.timing, peaks: peaks,
      openBLAS: .measure(inputs: configuration.networkWidths[0], on: context),
      training: Roofline(of: training, under: peaks, dtype),
      call: drawn.map { Roofline(of: $0.call, under: peaks, dtype) })
  }

  /// Seconds that `body` takes.
  package static func seconds(of body: () throws -> Void) rethrows -> Double {
    let start = MonotonicClock.now
    try body()
    return MonotonicClock.now - start
  }

  /// Four times the last-level cache (Linux tells its size), at most a quarter of the memory.
  private static func streamBytes() -> Int {
    let folder = "/sys/devices/system/cpu/cpu0/cache"
    let caches = ProcFS.names(in: folder).compactMap { name -> Int? in
      let text = ProcFS.text("\(folder)/\(name)/size")  // such as 32768K
      return Int(text.prefix { $0.isNumber }).map { $0 << 10 }
    }
    return min(max(4 * (caches.max() ?? 0), 256 << 20), availableMemory() / 4)
  }
}
