import SystemSupport

/// Why a network cannot be sampled as asked. Each description is one line.
package enum SamplingError: Error, Equatable, Sendable {
  /// The network does not know the class that `--class` names.
  case labelOutOfRange(label: Int, classes: Int)
  /// Guidance needs the difference that a label makes, and the network is unconditional.
  case nothingToGuide(checkpoint: String)
  /// The guide does something else than the network that it is to guide.
  case unfitGuide(guide: String, what: String, found: String, expected: String)
  /// An output folder holds images that were sampled in another way.
  case otherSamples(folder: String, difference: String)
  /// An output folder holds files of the names that images would get, and no record of their
  /// origin.
  case samplesOfUnknownOrigin(folder: String, file: String)
}

extension SamplingError: CustomStringConvertible {
  package var description: String {
    switch self {
    case .labelOutOfRange(let label, let classes):
      classes == 0
        ? "--class: \(label), but the network is unconditional; leave the flag out"
        : "--class: \(label), but the network knows classes 0 to \(classes - 1)"
    case .nothingToGuide(let checkpoint):
      "--guidance: \(checkpoint) is unconditional; leave the flag out"
    case .unfitGuide(let guide, let what, let found, let expected):
      "--guide: \(guide): \(what): \(found); expected \(expected), as in the network that it is to"
        + " guide; name a run of the same task"
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
  /// 2: the command has to change.
  package var exitCode: Int32 { 2 }
}
