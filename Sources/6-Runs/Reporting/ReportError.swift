/// Why a run cannot be reported.
package enum ReportError: Error, Equatable, Sendable, CustomStringConvertible {
  /// The path is not the directory of a run: it has no `config.yaml`.
  case noRun(path: String, exists: Bool)

  package var description: String {
    switch self {
    case .noRun(let path, let exists):
      "\(path): \(exists ? "holds no config.yaml" : "there is no such folder"); expected the"
        + " directory of a run, which `diffit train --run` makes"
    }
  }
}
