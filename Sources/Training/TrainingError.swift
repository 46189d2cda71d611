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
  /// `loss` where nothing tells which images are held out.
  case noHeldOutData
  /// Held-out images of a set that is drawn.
  case heldOutOfShapes(path: String)
  case heldOutClassesDiffer(configured: Int, found: Int, path: String)
  /// `loss` of images that no network is known of.
  case lossNeedsNetwork(path: String)
  /// Images that are there are compared with nothing.
  case noReference(metric: String, path: String)
  /// A collection holds fewer images than `--samples` and `--repeats` ask for.
  case fewerImages(path: String, found: Int, needed: Int)
  case notACheckpoint(path: String)
  /// An autoencoder, where a network that draws images is needed.
  case drawsNothing(checkpoint: String)
  /// Something else, where an autoencoder is needed.
  case notAnAutoencoder(path: String)
  case noAverage(name: String, present: [String], checkpoint: String)
  case labelOutOfRange(label: Int, classes: Int)
  /// Guidance needs the difference that a label makes.
  case nothingToGuide(checkpoint: String)
  case outputUnwritable(path: String, reason: String)
  /// An output folder holds images that were drawn in another way.
  case otherSamples(folder: String, difference: String)
  /// An output folder holds files of the names that images would get, and no record of their origin.
  case samplesOfUnknownOrigin(folder: String, file: String)
  case brokenRecord(path: String)
  /// A conversion would replace what is there.
  case outputExists(path: String)
  /// A work folder holds pictures that were converted in another way.
  case otherConversion(folder: String, difference: String)
  /// A work folder holds files and no record of their origin.
  case conversionOfUnknownOrigin(folder: String)
  /// More pictures cannot be decoded than may be left out.
  case tooManyBroken(source: String, broken: Int, limit: Int)
  /// `data info` found pictures that cannot be decoded.
  case brokenPictures(source: String, broken: Int, images: Int)
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
    case .noHeldOutData:
      "data.validation: empty, but metric loss needs held-out images; set it to images of the kind of"
        + " data.path, or give --held-out"
    case .heldOutOfShapes(let path):
      "held-out images: found \(path), expected none named: data.kind shapes draws its own; leave"
        + " data.validation and --held-out out"
    case .heldOutClassesDiffer(let configured, let found, let path):
      "held-out images at \(path): \(found) classes, expected \(configured) as model.classes says; name"
        + " a set with the same classes"
    case .lossNeedsNetwork(let path):
      "--metrics loss: \(path) holds images, expected a run or a checkpoint, whose network denoises;"
        + " leave loss out"
    case .noReference(let metric, let path):
      "--reference: none, but \(metric) compares the images of \(path) with others; name images or"
        + " statistics"
    case .fewerImages(let path, let found, let needed):
      "\(path): holds \(found) images, expected at least \(needed), --samples times --repeats; draw more,"
        + " or lower --samples"
    case .notACheckpoint(let path):
      "\(path): neither a checkpoint nor a run with checkpoints; expected RUN or"
        + " RUN/checkpoints/images-*"
    case .drawsNothing(let checkpoint):
      "\(checkpoint): an autoencoder, which draws no images and has no denoising loss; name a run of another"
        + " model.kind, or measure it with `diffit evaluate --metrics psnr,fd_random`"
    case .notAnAutoencoder(let path):
      "\(path): not an autoencoder; name a run or a checkpoint of model.kind vae"
    case .noAverage(let name, let present, let checkpoint):
      "--ema: \(checkpoint) holds no average \"\(name)\"; it holds"
        + " \(present.isEmpty ? "none" : present.joined(separator: ", "))"
    case .labelOutOfRange(let label, let classes):
      classes == 0
        ? "--class: \(label), but the network is unconditional; leave the flag out"
        : "--class: \(label), but the network knows classes 0 to \(classes - 1)"
    case .nothingToGuide(let checkpoint):
      "--guidance: \(checkpoint) is unconditional; leave the flag out"
    case .outputUnwritable(let path, let reason):
      "\(path): cannot be written (\(reason)); choose another place"
    case .otherSamples(let folder, let difference):
      "\(folder): holds samples drawn otherwise: \(difference); name another folder, or remove this one"
    case .samplesOfUnknownOrigin(let folder, let file):
      "\(folder): holds \(file), but no samples.json that tells how it was drawn; name another folder,"
        + " or remove this one"
    case .brokenRecord(let path):
      "\(path): not a record that this program wrote; remove it together with its folder's images"
    case .outputExists(let path):
      "--out: \(path) is there already; name another place, or remove it"
    case .otherConversion(let folder, let difference):
      "\(folder): holds pictures converted otherwise: \(difference); give the same options again, or"
        + " remove the folder"
    case .conversionOfUnknownOrigin(let folder):
      "\(folder): holds files, but no convert.json that tells how they were made; remove the folder"
    case .tooManyBroken(let source, let broken, let limit):
      "\(source): \(broken) broken, expected at most \(limit); mend or remove them, or allow them with"
        + " --max-broken \(broken): what was converted is kept"
    case .brokenPictures(let source, let broken, let images):
      "\(source): \(broken) of \(images) pictures are broken; replace or remove them"
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
    case .drawsNothing, .notAnAutoencoder, .runHasCheckpoints, .runNotShared, .newerCheckpoints,
      .batchTooSmall, .classesDiffer,
      .ranksDoNotDivideShards, .noAverage, .otherNetwork, .labelOutOfRange, .nothingToFit,
      .otherSamples, .samplesOfUnknownOrigin, .outputExists, .otherConversion,
      .conversionOfUnknownOrigin, .nothingToGuide, .noHeldOutData,
      .heldOutOfShapes, .heldOutClassesDiffer, .lossNeedsNetwork, .noReference:
      2
    case .nonFinite, .notACheckpoint, .outputUnwritable, .notAGolden, .notWell,
      .notAMeasurement, .brokenRecord, .fewerImages, .tooManyBroken, .brokenPictures:
      1
    }
  }
}

extension ConfigurationError: ExitCoded {
  public var exitCode: Int32 { 2 }
}
