import Collectives

/// What can go wrong with a run beside its files and its ranks. Each description is one line.
public enum TrainingError: Error, Equatable, Sendable, CustomStringConvertible {
  /// `optimizer.on_nonfinite: stop`
  case nonFinite(images: Int)
  /// `--resume never` where checkpoints exist.
  case runHasCheckpoints(run: String, count: Int)
  /// `--resume PATH` would leave newer checkpoints of the same run behind.
  case newerCheckpoints(run: String, resumed: String, newest: String)
  /// The checkpoint's tensors are not those of the network.
  case otherNetwork(checkpoint: String, differences: [String])
  case runNotShared(run: String, host: String)
  case batchTooSmall(batch: Int, ranks: Int)
  /// Canonical shards cannot be spread evenly.
  case ranksDoNotDivideShards(ranks: Int, shards: Int)
  case classesDiffer(configured: Int, found: Int, path: String)
  case notACheckpoint(path: String)
  case noAverage(name: String, present: [String], checkpoint: String)
  case labelOutOfRange(label: Int, classes: Int)
  case outputUnwritable(path: String, reason: String)
  case notAGolden(path: String, reason: String)
  /// A file given to `scaling predict` is none that `scaling measure` wrote.
  case notAMeasurement(path: String, reason: String)
  /// Nothing tells `scaling predict` how fast messages are.
  case nothingToFit
  /// `doctor` found something that will not work.
  case notWell

  public var description: String {
    switch self {
    case .nonFinite(let images):
      "the loss or a gradient is not finite after \(images) images and optimizer.on_nonfinite is"
        + " stop; lower optimizer.lr, set optimizer.clip_norm, or resume with on_nonfinite=skip"
    case .runHasCheckpoints(let run, let count):
      "\(run): holds \(count) checkpoint\(count == 1 ? "" : "s"), which --resume never would mix"
        + " with new ones; choose another --run, or move them away"
    case .newerCheckpoints(let run, let resumed, let newest):
      "\(run): holds checkpoints newer than \(resumed), up to \(newest); branch off with another"
        + " --run, or discard the newer ones with --force"
    case .otherNetwork(let checkpoint, let differences):
      differences.isEmpty
        ? "\(checkpoint): its tensors are not those of its settings: another version of this program"
          + " wrote it; use that version"
        : "\(checkpoint): holds another network: \(differences.joined(separator: "; ")); use the run's"
          + " settings, or another --run"
    case .runNotShared(let run, let host):
      "\(run): \(host) does not see the run directory of the first rank; put it on a file system that all"
        + " hosts share"
    case .batchTooSmall(let batch, let ranks):
      "train.batch: \(batch) images cannot be shared by \(ranks) ranks; expected at least one a rank"
    case .ranksDoNotDivideShards(let ranks, let shards):
      "parallel.shards: \(shards) canonical shards cannot be spread over \(ranks) ranks; expected a"
        + " power of two up to \(shards): start as many ranks, or set parallel.reduction=fast"
    case .classesDiffer(let configured, let found, let path):
      "model.classes: \(configured), but \(path) holds \(found) classes; set model.classes to"
        + " \(found), or to 0 for an unconditional network"
    case .notACheckpoint(let path):
      "\(path): neither a checkpoint nor a run with checkpoints; expected RUN or"
        + " RUN/checkpoints/images-*"
    case .noAverage(let name, let present, let checkpoint):
      "--ema: \(checkpoint) holds no average \"\(name)\"; it holds"
        + " \(present.isEmpty ? "none" : present.joined(separator: ", "))"
    case .labelOutOfRange(let label, let classes):
      classes == 0
        ? "--class: \(label), but the network is unconditional; leave the flag out"
        : "--class: \(label), but the network knows classes 0 to \(classes - 1)"
    case .outputUnwritable(let path, let reason):
      "\(path): cannot be written (\(reason)); choose another place"
    case .notAMeasurement(let path, let reason):
      "\(path): not a measurement: \(reason); make one with `diffit scaling measure`"
    case .nothingToFit:
      "the measurements are of one rank each, which sends nothing: add one made under mpirun, or give"
        + " --link-gbps and --latency-us"
    case .notWell: "something here will not work: see the lines marked wrong, each with its mend"
    case .notAGolden(let path, let reason):
      "\(path): not a golden file for parity: \(reason); make one with make_golden.py"
    }
  }
}

extension TrainingError: ExitCoded {
  /// 2 where the command or the configuration has to change, else 1.
  public var exitCode: Int32 {
    switch self {
    case .runHasCheckpoints, .runNotShared, .newerCheckpoints, .batchTooSmall, .classesDiffer,
      .ranksDoNotDivideShards, .noAverage, .otherNetwork, .labelOutOfRange, .nothingToFit:
      2
    case .nonFinite, .notACheckpoint, .outputUnwritable, .notAGolden, .notWell,
      .notAMeasurement:
      1
    }
  }
}

extension ConfigurationError: ExitCoded {
  public var exitCode: Int32 { 2 }
}
