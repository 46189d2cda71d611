import SystemSupport

/// Why a metric cannot be computed from what the command names. Each description is one line.
package enum EvaluationError: Error, Equatable, Sendable {
  /// `loss` of images in files: their network is not known.
  case lossNeedsNetwork(path: String)
  /// Images in files, and no reference to compare them with.
  case noReference(metric: String, path: String)
  /// A collection holds fewer images than `--samples` and `--repeats` ask for.
  case fewerImages(path: String, found: Int, needed: Int)
  /// An autoencoder made values that are infinite or not numbers; `origin`: the weights.
  case reconstructionNotFinite(image: Int, origin: String)
  /// The held-out loss is infinite or not a number; `origin`: the weights.
  case lossNotFinite(origin: String)
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
    case .reconstructionNotFinite(let image, let origin):
      "the reconstruction of held-out image \(image) is not finite, made with \(origin);\(Self.advice)"
    case .lossNotFinite(let origin):
      "the held-out loss is not finite, measured with \(origin);\(Self.advice)"
    case .fewerImages(let path, let found, let needed):
      "\(path): holds \(found) images, expected at least \(needed), --samples times --repeats; make"
        + " more, or lower --samples"
    }
  }
}

extension EvaluationError {
  private static let advice =
    " the network has diverged: use an average of the weights (--ema) or an earlier checkpoint"
}

extension EvaluationError: ExitCoded {
  /// 2 where the command has to change, else 1.
  package var exitCode: Int32 {
    switch self {
    case .lossNeedsNetwork, .noReference: 2
    case .fewerImages, .reconstructionNotFinite, .lossNotFinite: 1
    }
  }
}
