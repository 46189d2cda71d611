import SystemSupport

/// Why the data that a configuration names does not fit it. Each description is one line.
package enum DataSourceError: Error, Equatable, Sendable {
  /// A setting names a path where nothing is.
  case missing(setting: String, path: String)
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
    case .missing(let setting, let path): "\(setting): no such file or folder: \(path)"
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

extension DataSourceError {
  /// The value of `body`; where it finds nothing at its path, the error names the setting that holds
  /// the path.
  static func naming<Value>(_ setting: String, _ body: () throws -> Value) throws -> Value {
    do {
      return try body()
    } catch FileError.notFound(let path) {
      throw DataSourceError.missing(setting: setting, path: path)
    }
  }
}

extension DataSourceError: ExitCoded {
  /// 2 where the command or the configuration has to change, else 1.
  package var exitCode: Int32 {
    switch self {
    case .missing: 1
    case .classesDiffer, .noHeldOutData, .heldOutOfShapes, .heldOutClassesDiffer: 2
    }
  }
}
