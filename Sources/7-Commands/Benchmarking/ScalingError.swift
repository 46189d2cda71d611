import SystemSupport

/// Why measurements of scaling cannot be used. Each description is one line.
package enum ScalingError: Error, Equatable, Sendable {
  /// A file given to `scaling predict` is none that `scaling measure` wrote.
  case notAMeasurement(path: String, reason: String)
  /// Nothing tells `scaling predict` how fast messages are.
  case nothingToFit
}

extension ScalingError: CustomStringConvertible {
  package var description: String {
    switch self {
    case .notAMeasurement(let path, let reason):
      "\(path): not a measurement: \(reason); make one with `diffit scaling measure`"
    case .nothingToFit:
      "the measurements are of one rank each, which sends nothing: add one made under mpirun, or give"
        + " --link-gbps and --latency-us"
    }
  }
}

extension ScalingError: ExitCoded {
  /// 2 where the command or the configuration has to change, else 1.
  package var exitCode: Int32 {
    switch self {
    case .nothingToFit: 2
    case .notAMeasurement: 1
    }
  }
}
