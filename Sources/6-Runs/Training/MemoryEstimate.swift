import CommandSupport
import Configuration
import Datasets
import Foundation
import Sampling
import SystemSupport
import TensorCore

/// The most memory that one rank of a training run takes, by kind, in bytes.
package struct MemoryEstimate {
  let weights: Int
  let panels: Int
  let gradients: Int
  let moments: Int
  let averages: Int
  let sums: Int
  let snapshot: Int
  let activations: Int
  let sampling: Int
  let data: Int
  /// Memory that the libraries hold for themselves.
  let process: Int

  var total: Int {
    weights + panels + gradients + moments + averages + sums + snapshot + activations + sampling
      + data + process
  }

  /// - Parameters:
  ///   - share: images of this rank per step.
  ///   - isSampling: whether samples are drawn between steps, as `sample` says.
  init(
    _ plan: ResourcePlan, _ configuration: Configuration, share: Int, microBatch: Int, threads: Int,
    isSampling: Bool
  ) throws {
    let (flat, ranks) = (4 * plan.flatCount, plan.ranks)
    let isSharded = plan.method.reduceScatters
    let drawn = (configuration.sample.count + ranks - 1) / ranks
    let rehearsal = try DryRun(
      configuration, images: max(share, 1), microBatch: microBatch, threads: threads,
      samples: isSampling ? min(drawn, ImageSampler.standardBatch) : 0)
    (weights, gradients) = (flat, flat)
    moments = 2 * flat / (isSharded ? ranks : 1)
    averages = plan.averages * flat / (isSharded ? ranks : 1)
    panels = rehearsal.panelBytes
    activations = rehearsal.activationBytes
    // Sampling with a moving average needs all of it, and with a sharded optimiser a rank holds
    // only a part.
    sampling =
      rehearsal.samplingBytes + (isSampling && isSharded && plan.averages > 0 ? flat : 0)
    sums = plan.reductionBytes
    snapshot = plan.snapshotBytes
    let pixels = configuration.task().imageShape(batch: 1).count * 4
    // The loader has two batches ready and makes a third while one is trained on.
    data =
      4 * share * pixels
      + (configuration.data.kind == .cifar10 ? 50_000 * CIFAR10Dataset.recordSize : 0)
    process = Self.processBytes
  }

  /// Memory of an idle process, without the pages of the program and its libraries, in bytes;
  /// measured with Open MPI 4.1 on Linux, x86-64.
  private static let processBytes = 6 << 20

  /// One line per kind.
  ///
  /// - Parameters:
  ///   - recomputes: whether `train.recompute` is on.
  ///   - other: bytes of activations with `train.recompute` set the other way.
  func lines(recomputes: Bool, other: Int) -> [String] {
    let (kept, again) = recomputes ? (other, activations) : (activations, other)
    let both =
      "\(Format.bytes(kept)) without train.recompute, \(Format.bytes(again)) with it; it is"
      + (recomputes ? " on" : " off")
    let rows: [(String, Int, String)] = [
      ("weights", weights, ""),
      ("weight panels", panels, "what products read, forward and transposed"),
      ("gradients", gradients, ""),
      ("moments", moments, "the optimiser's, of this rank"),
      ("averages", averages, "of this rank"),
      ("sums over ranks", sums, "at most"),
      ("snapshot", snapshot, "for saving while training goes on"),
      ("activations", activations, both),
      ("sampling", sampling, "beyond the above"),
      ("data", data, "batches made ahead, and files in memory"),
      ("process", process, "what libraries hold"),
    ]
    var table = TextTable([.left(width: 17), .left(width: 9), .left()], indent: 2)
    for (name, bytes, note) in rows {
      table.add([name, Format.bytes(bytes), bytes == 0 ? "" : note])
    }
    return table.lines
  }
}
