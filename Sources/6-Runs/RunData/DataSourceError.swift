import SystemSupport

/// Why the data that a configuration names does not fit it. Each description is one line.
package enum DataSourceError: Error, Equatable, Sendable {
  /// The data set has other classes than `model.classes`.
  case classesDiffer(configured: Int, found: Int, path: String)
  /// `loss`, where no held-out images are named.
  case noHeldOutData
  /// Held-out images are named for `data.kind: shapes`, which makes its own.
  case heldOutOfShapes(path: String)
  /// The held-out images have other classes than `model.classes`.
  case heldOutClassesDiffer(configured: Int, found: Int, path: String)
}

extension DataSourceError: CustomStringConvertible {
  package var description: String {
    switch self {
    case .classesDiffer(let configured, let found, let path):
      "model.classes: \(configured), but \(path) holds \(found) classes; set model.classes to"
        + " \(found), or to 0 for an unconditional network"
    case .noHeldOutData:
      "data.validation: empty, but metric loss needs held-out images; set it to images of the kind"
        + " of data.path, or give --held-out"
    case .heldOutOfShapes(let path):
      "held-out images: found \(path), expected none named: data.kind shapes draws its own; leave"
        + " data.validation and --held-out out"
    case .heldOutClassesDiffer(let configured, let found, let path):
      "held-out images at \(path): \(found) classes, expected \(configured) as model.classes says;"
        + " name a set with the same classes"
    }
  }
}

extension DataSourceError: ExitCoded {
  /// 2: the command or the configuration has to change.
  package var exitCode: Int32 { 2 }
}
