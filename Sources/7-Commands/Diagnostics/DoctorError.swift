/// What `diffit doctor` ends with where something will not work.
package enum DoctorError: Error, Equatable, Sendable {
  /// `doctor` found something that will not work.
  case notWell
}

extension DoctorError: CustomStringConvertible {
  package var description: String {
    switch self {
    case .notWell: "something here will not work: see the lines marked wrong, each with its mend"
    }
  }
}
