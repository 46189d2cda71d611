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
    case precision, threads, batch, kernels, operators, peaks, sampling, openblas
    case microBatch = "micro_batch"
    case trainImagesPerSecond = "train_images_per_second"
    case trainStepSeconds = "train_step_seconds"
    case sampleImagesPerSecond = "sample_images_per_second"
    case peakRSSBytes = "peak_rss_bytes"
    case gflopsPerSecond = "gflops_per_second"
    case trainRoofline = "train_roofline"
    case samplingOperators = "sampling_operators"
    case samplingRoofline = "sampling_roofline"
  }

  package func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(precision, forKey: .precision)
    try container.encode(threads, forKey: .threads)
    try container.encode(batch, forKey: .batch)
    try container.encode(microBatch, forKey: .microBatch)
    try container.encode("\(kernels)", forKey: .kernels)
    try container.encode(imagesPerSecond, forKey: .trainImagesPerSecond)
    try container.encode(step, forKey: .trainStepSeconds)
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
      "peaks     \(number(peaks.float32)) GFLOP/s f32, \(number(peaks.bfloat16)) GFLOP/s bf16,"
        + " \(number(peaks.stream)) GB/s (two reads and a write)",
      "OpenBLAS  \(number(openBLAS.gflopsPerSecond)) GFLOP/s for \(openBLAS.name) in f32 on one"
        + " thread, core \(openBLAS.core)",
      "training  \(number(imagesPerSecond, 2)) images/s; step \(number(step.min, 3)) /"
        + " \(number(step.median, 3)) / \(number(step.max, 3)) s (min, median, max);"
        + " \(number(gflopsPerSecond)) GFLOP/s",
      "memory    \(Format.bytes(peakRSSBytes)) at most while training",
    ]
    if let sampling { lines.append(text(sampling)) }
    lines += ["", "a training step:"] + training.lines
    if let call { lines += ["", "a network call of sampling:"] + call.lines }
    return lines.joined(separator: "\n")
  }

  private func text(_ sampling: SamplingTiming) -> String {
    "sampling  \(number(sampling.imagesPerSecond, 2)) images/s: \(sampling.callsAnImage) network"
      + " calls for a batch of \(sampling.batch), at \(number(sampling.callSeconds.median, 3)) s"
      + " (median of \(sampling.calls)) and \(number(sampling.arithmeticSeconds, 4)) s of the"
      + " sampler's own"
  }
}

extension Roofline {
  /// A table, and what the peaks would allow.
  package var lines: [String] {
    let head = "   time ms  share   calls  GFLOP/s     GB/s  bound    of peak  operator"
    let rows = operators.map { row in
      [
        right(number(row.seconds * 1e3, 2), 10), right(percent(row.shareOfStep), 7),
        right("\(row.calls)", 8), right(number(row.gflopsPerSecond), 9),
        right(number(row.gigabytesPerSecond, 1), 9), "  \(row.bound)".padded(10),
        right(percent(row.shareOfPeak), 6), "  \(row.name)",
      ].joined()
    }
    let rest = [
      right(number(total.restSeconds * 1e3, 2), 10),
      right(percent(total.restSeconds / max(total.seconds, 1e-9)), 7),
      right("", 42), "  the rest",
    ].joined()
    return [head] + rows + [
      rest,
      "\(number(total.seconds * 1e3, 1)) ms in all; by the peaks at least"
        + " \(number(total.leastSeconds * 1e3, 1)) ms: \(percent(total.shareOfPeak)) of what the"
        + " machine allows",
    ]
  }
}

private func number(_ value: Double, _ digits: Int = 0) -> String {
  String(format: "%.\(digits)f", value)
}

private func percent(_ share: Double) -> String {
  number(100 * share, share < 0.0995 ? 1 : 0) + " %"
}

private func right(_ text: String, _ width: Int) -> String {
  String(repeating: " ", count: max(width - text.count, 0)) + text
}

extension String {
  fileprivate func padded(_ width: Int) -> String {
    self + String(repeating: " ", count: max(width - count, 0))
  }
}
