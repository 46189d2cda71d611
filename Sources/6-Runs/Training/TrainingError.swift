import SystemSupport

/// What can go wrong with a run, except for its files and the messages between its ranks. Each
/// description is one line.
package enum TrainingError: Error, Equatable, Sendable {
  /// The loss or a gradient is not finite, and `optimizer.on_nonfinite` is `stop`.
  case nonFinite(images: Int)
  /// No `--config`, and the run's directory holds no settings.
  case noSettings(run: String)
  /// So many updates one after the other were left out as `optimizer.max_skipped` allows; `good`:
  /// the newest checkpoint from before.
  case diverged(skipped: Int, images: Int, good: String?)
  /// The run's directory is not there any more, or is another one.
  case directoryGone(run: String)
  /// `--resume never` was given, and the run has checkpoints.
  case runHasCheckpoints(run: String, count: Int)
  /// `--resume PATH` would leave newer checkpoints of the same run behind.
  case newerCheckpoints(run: String, resumed: String, newest: String)
  /// A host does not see the run directory.
  case runNotShared(run: String, host: String)
  /// A batch has fewer images than there are ranks.
  case batchTooSmall(batch: Int, ranks: Int)
  /// Canonical shards cannot be spread evenly over the ranks.
  case ranksDoNotDivideShards(ranks: Int, shards: Int)
}

extension TrainingError: CustomStringConvertible {
  /// The error as one line.
  package var description: String {
    switch self {
    case .nonFinite(let images):
      "the loss or a gradient is not finite after \(images) images and optimizer.on_nonfinite is"
        + " stop; lower optimizer.lr, set optimizer.clip_norm, or use on_nonfinite=skip (--force)"
    case .noSettings(let run):
      "\(run): holds no config.yaml, so there is no run to go on with; expected --config FILE, or the"
        + " directory of a run that has begun as --run"
    case .diverged(let skipped, let images, let good):
      "\(skipped) updates in a row were left out up to \(images) images (optimizer.max_skipped):"
        + " the loss or a gradient is not finite; "
        + (good.map { "go back with --resume \($0) --force" } ?? "start again")
        + " and a lower optimizer.lr, or with optimizer.clip_norm"
    case .directoryGone(let run):
      "\(run): the run's directory was removed, renamed or replaced while the job ran, so nothing of it"
        + " is kept; put it back or name another --run, and start again"
    case .runHasCheckpoints(let run, let count):
      "\(run): holds \(count) checkpoint\(count == 1 ? "" : "s"), which --resume never would mix"
        + " with new ones; choose another --run, or move them away"
    case .newerCheckpoints(let run, let resumed, let newest):
      "\(run): holds checkpoints newer than \(resumed), up to \(newest); branch off with another"
        + " --run, or discard the newer ones with --force"
    case .runNotShared(let run, let host):
      "\(run): \(host) does not see the run directory of the first rank; put it on a file system"
        + " that all hosts share"
    case .batchTooSmall(let batch, let ranks):
      "train.batch: \(batch) images cannot be shared by \(ranks) ranks; expected at least one"
        + " per rank"
    case .ranksDoNotDivideShards(let ranks, let shards):
      "parallel.shards: \(shards) canonical shards cannot be spread over \(ranks) ranks; expected a"
        + " power of two up to \(shards): start as many ranks, or set parallel.reduction=fast"
    }
  }
}

extension TrainingError: ExitCoded {
  /// 2 where the command or the configuration has to change, else 1.
  package var exitCode: Int32 {
    switch self {
    case .noSettings, .runHasCheckpoints, .newerCheckpoints, .runNotShared, .batchTooSmall,
      .ranksDoNotDivideShards:
      2
    case .nonFinite, .diverged, .directoryGone: 1
    }
  }
}
