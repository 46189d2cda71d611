import Checkpoints
import Configuration
import ModelLoading
import Optimization
import SystemSupport
import TensorCore

/// A power-function average of a length that the run did not keep, made of snapshots of those that
/// it kept (post-hoc EMA).
///
/// Source: Karras et al., arXiv:2312.02696, algorithm 3.
package struct PostHocAverage {
  /// The average, flat.
  package let weights: Tensor
  /// Number of snapshots that it was made of, those in the checkpoint included.
  package let snapshots: Int

  /// One of the averages that the run kept, at some moment.
  private struct Kept {
    let name: String
    let snapshot: PowerFunctionProfile.Snapshot
    /// Nil: in the checkpoint itself.
    let file: AverageSnapshots.Location?
  }

  /// Makes the average of the run up to a checkpoint, of the checkpoint's averages and of the
  /// snapshots that are older.
  ///
  /// - Throws: `PostHocError` where the run kept no such averages, or too few.
  package init(length: Double, of model: LoadedModel, on context: ComputeContext) throws {
    guard case .checkpoint(let reader) = model.source else {
      throw PostHocError.noRun(file: model.path)
    }
    let images = reader.manifest.imagesSeen
    guard model.configuration.model.kind != .vae else {
      throw PostHocError.autoencoder(checkpoint: reader.path)
    }
    let averages = model.configuration.ema.filter { $0.length > 0 }
    guard !averages.isEmpty else { throw PostHocError.noAverages(checkpoint: reader.path) }
    let run = reader.url.deletingLastPathComponent().deletingLastPathComponent()
    let files = try AverageSnapshots(run: run).list().filter { $0.images < images }
    let moments = files.map { ($0.images, $0 as AverageSnapshots.Location?) } + [(images, nil)]
    let kept = moments.flatMap { images, file in
      averages.map { average in
        let profile = PowerFunctionProfile(length: average.length)
        return Kept(
          name: average.name, snapshot: .init(images: images, profile: profile), file: file)
      }
    }
    let profile = PowerFunctionProfile(length: length)
    guard
      let factors = profile.coefficients(of: kept.map(\.snapshot), images: images)
    else { throw PostHocError.dependent(checkpoint: reader.path, snapshots: kept.count) }

    let count = model.configuration.modelTable.flatCount
    let part = Tensor([count], on: context)
    // Factors of both signs cancel each other: the sum is f64.
    var sum = [Double](repeating: 0, count: count)
    for (average, factor) in zip(kept, factors) where factor != 0 {
      let name = VectorName.ema(average.name)
      if let file = average.file {
        try AverageSnapshots.read(name, of: file, into: part)
      } else {
        try reader.read(name, 0..<count, into: part)
      }
      part.withFloats { values in
        sum.withUnsafeMutableBufferPointer { sum in
          for index in 0..<count { sum[index] += factor * Double(values[index]) }
        }
      }
    }
    weights = Tensor(sum.map { Float($0) }, [count], on: context)
    snapshots = kept.count
  }
}

/// Why no average can be made after the run. Each description is one line.
package enum PostHocError: Error, Equatable, Sendable {
  /// An autoencoder, whose export is no file of tensors.
  case autoencoder(checkpoint: String)
  /// A single file, which holds one set of weights.
  case noRun(file: String)
  /// The run has only exponential averages.
  case noAverages(checkpoint: String)
  /// The factors have no single solution.
  case dependent(checkpoint: String, snapshots: Int)
}

extension PostHocError: CustomStringConvertible, ExitCoded {
  package var description: String {
    switch self {
    case .autoencoder(let checkpoint):
      "--ema-length: \(checkpoint): an autoencoder; expected a denoising network: name one of the"
        + " averages that the run kept with --ema"
    case .noRun(let file):
      "--ema-length: \(file): a single file of weights; expected a run or a checkpoint, which keeps"
        + " averages"
    case .noAverages(let checkpoint):
      "--ema-length: \(checkpoint): no entry of ema has a length; expected one or two power-function"
        + " averages: train with ema.0.length=0.05, ema.1.length=0.10 and checkpoint.snapshots"
    case .dependent(let checkpoint, let snapshots):
      "--ema-length: \(checkpoint): its \(snapshots) snapshots depend on each other; expected"
        + " averages of different lengths: give the entries of ema different lengths"
    }
  }

  /// 2: the command has to change.
  package var exitCode: Int32 { 2 }
}
