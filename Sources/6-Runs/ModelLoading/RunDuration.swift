import Checkpoints
import CommandSupport
import Configuration
import SystemSupport
import TensorCore

/// How long the rest of a run's training takes, without saving, sampling and measuring, and where
/// that is known from.
package struct RunDuration {
  /// The shares of the peak arithmetic rate that training steps reach on the machine of
  /// docs/performance.md; small networks, and machines with slow memory, can be far from them.
  private static let shareOfPeak = (float32: 0.7, bfloat16: 0.6)

  /// Images that are left.
  private let images: Int
  /// Images of all ranks per second.
  private let rate: Double
  /// Where the rate comes from, in words.
  private let origin: String

  /// A run that has begun on as many ranks tells how fast it was. Otherwise the rate follows from the
  /// arithmetic of a step and from the peak of a core of this machine, which is measured now, in a
  /// second.
  ///
  /// - Parameters:
  ///   - run: the run's directory, which need not be there.
  ///   - flopsPerImage: FLOPs of a training step per image.
  package init(
    _ configuration: Configuration, in run: RunDirectory, ranks: Int, flopsPerImage: Int
  ) throws {
    let row = try StatsFile.rows(run.stats).last { $0["images_per_second"] is Double }
    images = max(configuration.train.images - (row?["images"] as? Int ?? 0), 0)
    let start = try StatsFile.rows(run.starts).last { $0["ranks"] is Int }
    if let rate = row?["images_per_second"] as? Double, rate > 0,
      start?["ranks"] as? Int == ranks
    {
      self.rate = rate
      origin = "measured by the run's last row of stats.jsonl"
      return
    }
    let train = configuration.train
    let threads = train.threads > 0 ? train.threads : max(ThreadPool.availableCores / ranks, 1)
    // One thread: several at once would be interrupted by whatever else runs now.
    let peaks = MachinePeaks(of: ComputeContext(), streamBytes: 1 << 20)
    let dtype = train.precision.dtype
    let share = dtype == .float32 ? Self.shareOfPeak.float32 : Self.shareOfPeak.bfloat16
    let gflops = peaks.gflops(dtype) * Double(threads * ranks)
    rate = share * gflops * 1e9 / Double(flopsPerImage)
    origin =
      "estimated as \(Format.percent(share, 0)) of \(Format.decimal(gflops, 0)) GFLOP/s, the peak of"
      + " \(ranks) x \(Format.quantity(threads, "thread")) of this machine; `diffit bench` measures it"
  }

  /// For people, in one line.
  package var summary: String {
    "\(Format.duration(Double(images) / rate)) for \(Format.count(images)) images at"
      + " \(Format.rate(rate)), without saving, sampling and measuring: \(origin)"
  }
}
