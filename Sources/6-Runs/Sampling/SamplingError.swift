import CommandSupport
import SystemSupport

/// Why a network cannot be sampled as asked. Each description is one line.
package enum SamplingError: Error, Equatable, Sendable {
  /// The network does not know the class that `--class` names.
  case labelOutOfRange(label: Int, classes: Int)
  /// No class has the name that `--class` gives; no names where they are not known.
  case unknownClass(name: String, names: [String])
  /// Guidance needs the difference that a label makes, and the network is unconditional.
  case nothingToGuide(checkpoint: String)
  /// The guide does something else than the network that it is to guide.
  case unfitGuide(guide: String, what: String, found: String, expected: String)
  /// A sampled image has values that are infinite, not numbers or absurd; `origin`: the weights.
  case notFinite(seed: UInt64, origin: String)
  /// An output folder holds images that were sampled in another way.
  case otherSamples(folder: String, difference: String)
  /// An output folder holds files of the names that images would get, and no record of their
  /// origin.
  case samplesOfUnknownOrigin(folder: String, file: String)
}

extension SamplingError: CustomStringConvertible {
  package var description: String { Format.line(text) }

  private var text: String {
    switch self {
    case .labelOutOfRange(let label, let classes):
      classes == 0
        ? "--class: \(label), but the network is unconditional; leave the flag out"
        : "--class: \(label), but the network knows classes 0 to \(classes - 1)"
    case .unknownClass(let name, let names):
      names.isEmpty
        ? "--class \(name): the names of the classes are not known, or there are none; give a number"
          + " from 0 on, or leave the option out"
        : "--class \(name): no class has this name"
          + (NearestName.to(name, among: names).map { ", did you mean \($0)?" } ?? ";")
          + " expected a number or one of \(names.prefix(12).joined(separator: ", "))"
          + (names.count > 12 ? " and \(names.count - 12) more" : "")
    case .nothingToGuide(let checkpoint):
      "--guidance: \(checkpoint) is unconditional; leave the flag out"
    case .unfitGuide(let guide, let what, let found, let expected):
      "--guide: \(guide): \(what): \(found); expected \(expected), as in the network that it is to"
        + " guide; name a run of the same task"
    case .notFinite(let seed, let origin):
      "the image of seed \(seed) is not finite (or far outside of [-1, 1]), sampled with \(origin): the network has diverged; use"
        + " an average of the weights (--ema) or an earlier checkpoint, and train with a lower"
        + " optimizer.lr"
    case .otherSamples(let folder, let difference):
      "\(folder): holds images that were sampled in another way: \(difference); name another"
        + " folder, or remove this one"
    case .samplesOfUnknownOrigin(let folder, let file):
      "\(folder): holds \(file), but no samples.json that says how it was sampled; name another"
        + " folder, or remove this one"
    }
  }
}

extension SamplingError: ExitCoded {
  /// 2 where the command has to change, 1 where the weights are bad.
  package var exitCode: Int32 {
    if case .notFinite = self { 1 } else { 2 }
  }
}
