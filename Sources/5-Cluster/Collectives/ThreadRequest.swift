import Foundation
import SystemSupport
import TensorCore

/// The number of threads per rank that the environment asks for, for the launch scripts.
package struct ThreadRequest: Equatable, Sendable {
  /// The variable's name.
  package static let variable = "DIFFIT_THREADS"

  /// 0: the program chooses.
  package let count: Int

  /// Reads the variable, with the bounds of `train.threads`; one that is not set or empty asks for 0.
  package init(
    _ environment: [String: String] = ProcessInfo.processInfo.environment
  ) throws(ThreadRequestError) {
    let text = environment[Self.variable] ?? ""
    guard !text.isEmpty else {
      count = 0
      return
    }
    guard let count = Int(text), (0...ThreadPool.largestCount).contains(count) else {
      throw ThreadRequestError(found: text)
    }
    self.count = count
  }
}

/// `DIFFIT_THREADS` is no number of threads. The program ends with exit code 2.
package struct ThreadRequestError: Error, Equatable, Sendable {
  /// The variable's value.
  package let found: String
}

extension ThreadRequestError: CustomStringConvertible, ExitCoded {
  package var description: String { "\(ThreadRequest.variable) \(found): expected \(expected)" }
  /// The values that the variable can have, in words.
  package var expected: String {
    "a whole number from 0 to \(ThreadPool.largestCount), where 0 leaves the choice to the program;"
      + " correct this environment variable, or unset it"
  }
  package var exitCode: Int32 { 2 }
}
