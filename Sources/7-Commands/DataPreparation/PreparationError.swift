import SystemSupport

/// Why images cannot be converted, encoded or used. Each description is one line.
package enum PreparationError: Error, Equatable, Sendable {
  /// The output exists already.
  case outputExists(path: String)
  /// More images are broken than may be left out.
  case tooManyBroken(source: String, broken: Int, limit: Int)
  /// `data info` found images that cannot be decoded.
  case brokenImages(source: String, broken: Int, images: Int)
}

extension PreparationError: CustomStringConvertible {
  /// The error as one line.
  package var description: String {
    switch self {
    case .outputExists(let path):
      "--out: \(path) is there already; name another place, or remove it"
    case .tooManyBroken(let source, let broken, let limit):
      "\(source): \(broken) broken, expected at most \(limit); repair or remove them, or allow"
        + " them with --max-broken \(broken): what was converted is kept"
    case .brokenImages(let source, let broken, let images):
      "\(source): \(broken) of \(images) images are broken; replace or remove them"
    }
  }
}

extension PreparationError: ExitCoded {
  /// 2 where the command or the configuration has to change, else 1.
  package var exitCode: Int32 {
    switch self {
    case .outputExists: 2
    case .tooManyBroken, .brokenImages: 1
    }
  }
}
