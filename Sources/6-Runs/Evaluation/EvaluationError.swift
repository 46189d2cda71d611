import SystemSupport

/// Why a metric cannot be computed from what the command names. Each description is one line.
package enum EvaluationError: Error, Equatable, Sendable {
  /// `loss` of images in files: their network is not known.
  case lossNeedsNetwork(path: String)
  /// Images in files, and no reference to compare them with.
  case noReference(metric: String, path: String)
  /// A collection holds fewer images than `--samples` and `--repeats` ask for.
  case fewerImages(path: String, found: Int, needed: Int)
}

extension EvaluationError: CustomStringConvertible {
  package var description: String {
    switch self {
    case .lossNeedsNetwork(let path):
      "--metrics loss: \(path) holds images, expected a run or a checkpoint, whose network"
        + " denoises; leave loss out"
    case .noReference(let metric, let path):
      "--reference: none, but \(metric) compares the images of \(path) with others; name images or"
        + " statistics"
    case .fewerImages(let path, let found, let needed):
      "\(path): holds \(found) images, expected at least \(needed), --samples times --repeats; make"
        + " more, or lower --samples"
    }
  }
}

extension EvaluationError: ExitCoded {
  /// 2 where the command has to change, else 1.
  package var exitCode: Int32 {
    switch self {
    case .lossNeedsNetwork, .noReference: 2
    case .fewerImages: 1
    }
  }
}
