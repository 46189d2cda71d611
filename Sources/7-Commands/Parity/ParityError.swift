/// Why a golden file cannot be compared with. Each description is one line.
package enum ParityError: Error, Equatable, Sendable {
  /// The file lacks something that a golden file has.
  case notAGolden(path: String, reason: String)
}

extension ParityError: CustomStringConvertible {
  package var description: String {
    switch self {
    case .notAGolden(let path, let reason):
      "\(path): not a golden file for parity: \(reason); make one with make_golden.py"
    }
  }
}
