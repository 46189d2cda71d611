import CommandSupport
import Configuration
import Foundation
import SystemSupport
import TensorCore

/// What `diffit bench` found.
package struct BenchReport: Encodable, Sendable {
  let precision: TrainSettings.Precision
  let threads: Int
  let batch: Int
  let microBatch: Int
  let kernels: KernelTable.Level
  let step: TimingSummary
  let optimizer: OptimizerSettings.Kind
  /// Mean time of the optimiser and of the averages in a training step.
  let optimizerSeconds: Double
  /// Of a training step: matrix products and attention.
  let flops: Double
  /// Most memory of the process while it did nothing but training steps.
  let peakRSSBytes: Int
  /// Nil where the network draws nothing: of an autoencoder.
  let sampling: SamplingTiming?
  let peaks: MachinePeaks
  let openBLAS: BLASBaseline
  /// Of a training step.
  let training: Roofline
  /// Of a network call of sampling.
  let call: Roofline?

  var imagesPerSecond: Double { Double(batch) / step.median }
  var gflopsPerSecond: Double { flops / step.median / 1e9 }

  enum CodingKeys: String, CodingKey {
    case build, precision, threads, batch, kernels, operators, peaks, sampling, openblas
    case microBatch = "micro_batch"
    case trainImagesPerSecond = "train_images_per_second"
    case trainStepSeconds = "train_step_seconds"
    case optimizer
    case optimizerSeconds = "optimizer_seconds"
    case sampleImagesPerSecond = "sample_images_per_second"
    case peakRSSBytes = "peak_rss_bytes"
    case gflopsPerSecond = "gflops_per_second"
    case trainRoofline = "train_roofline"
    case samplingOperators = "sampling_operators"
    case samplingRoofline = "sampling_roofline"
  }

  package func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(Build.description(kernels: kernels), forKey: .build)
    try container.encode(precision, forKey: .precision)
    try container.encode(threads, forKey: .threads)
    try container.encode(batch, forKey: .batch)
    try container.encode(microBatch, forKey: .microBatch)
    try container.encode("\(kernels)", forKey: .kernels)
    try container.encode(imagesPerSecond, forKey: .trainImagesPerSecond)
    try container.encode(step, forKey: .trainStepSeconds)
    try container.encode(optimizer.rawValue, forKey: .optimizer)
    try container.encode(optimizerSeconds, forKey: .optimizerSeconds)
    try container.encodeIfPresent(sampling?.imagesPerSecond, forKey: .sampleImagesPerSecond)
    try container.encode(peakRSSBytes, forKey: .peakRSSBytes)
    try container.encode(gflopsPerSecond, forKey: .gflopsPerSecond)
    try container.encode(peaks, forKey: .peaks)
    try container.encode(openBLAS, forKey: .openblas)
    try container.encode(training.operators, forKey: .operators)
    try container.encode(training.total, forKey: .trainRoofline)
    try container.encodeIfPresent(sampling, forKey: .sampling)
    try container.encodeIfPresent(call?.operators, forKey: .samplingOperators)
    try container.encodeIfPresent(call?.total, forKey: .samplingRoofline)
  }
}

extension BenchReport {
  /// For people.
  var text: String {
    var lines = [
      "\(precision), \(Format.quantity(threads, "thread")), batch \(batch) in micro-batches of"
        + " \(microBatch); kernels \(kernels.summary)",
      "peaks     \(Format.decimal(peaks.float32, 0)) GFLOP/s f32,"
        + " \(Format.decimal(peaks.bfloat16, 0)) GFLOP/s bf16,"
        + " \(Format.decimal(peaks.stream, 0)) GB/s (two reads and a write)",
      "OpenBLAS  \(Format.decimal(openBLAS.gflopsPerSecond, 0)) GFLOP/s for \(openBLAS.name) in f32"
        + " on one thread, core \(openBLAS.core)",
      "training  \(Format.decimal(imagesPerSecond, 2)) images/s; step \(Format.decimal(step.min, 3)) /"
        + " \(Format.decimal(step.median, 3)) / \(Format.decimal(step.max, 3)) s (min, median, max);"
        + " \(Format.decimal(gflopsPerSecond, 0)) GFLOP/s",
      "optimizer \(optimizer.rawValue): \(Format.decimal(optimizerSeconds * 1e3, 2)) ms per step with"
        + " averages, \(Format.percent(optimizerSeconds / max(step.median, 1e-9), 1)) of the step",
      "memory    \(Format.bytes(peakRSSBytes)) at most while training",
    ]
    if let sampling { lines.append(text(sampling)) }
    lines += ["", "a training step:"] + training.lines
    if let call { lines += ["", "a network call of sampling:"] + call.lines }
    return lines.joined(separator: "\n")
  }

  private func text(_ sampling: SamplingTiming) -> String {
    "sampling  \(Format.decimal(sampling.imagesPerSecond, 2)) images/s: \(sampling.callsAnImage)"
      + " network calls for a batch of \(sampling.batch), each"
      + " \(Format.decimal(sampling.callSeconds.median, 3)) s (median of \(sampling.calls)), and"
      + " \(Format.decimal(sampling.arithmeticSeconds, 4)) s for the sampler's own arithmetic"
  }
}

extension Roofline {
  /// A table of operators, and the time that the peaks would allow.
  package var lines: [String] {
    var table = TextTable([
      .right("time ms", width: 8), .right("share", width: 6), .right("calls"), .right("GFLOP/s"),
      .right("GB/s"), .left("bound"), .right("of peak"), .left("operator"),
    ])
    for row in operators {
      table.add([
        Format.decimal(row.seconds * 1e3, 2), percent(row.shareOfStep), "\(row.calls)",
        Format.decimal(row.gflopsPerSecond, 0), Format.decimal(row.gigabytesPerSecond, 1),
        "\(row.bound)", percent(row.shareOfPeak), row.name,
      ])
    }
    table.add([
      Format.decimal(total.restSeconds * 1e3, 2),
      percent(total.restSeconds / max(total.seconds, 1e-9)), "", "", "", "", "", "the rest",
    ])
    return table.lines + [
      "\(Format.decimal(total.seconds * 1e3, 1)) ms in all; by the peaks at least"
        + " \(Format.decimal(total.leastSeconds * 1e3, 1)) ms: \(percent(total.shareOfPeak)) of what the"
        + " machine allows"
    ]
  }

  /// A share below a tenth has a digit after the point.
  private func percent(_ share: Double) -> String {
    Format.percent(share, share < 0.0995 ? 1 : 0)
  }
}
