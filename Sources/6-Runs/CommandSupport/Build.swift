import Synchronization
import TensorCore

/// What this program was built from, as manifests, reports and `diffit --version` tell it.
package enum Build {
  /// The release, by semantic versioning.
  package static let version = "0.2.0"

  /// The first seven digits of git's commit, or `unknown` where the program was built outside of a
  /// clone.
  package static var commit: String {
    get { noted.withLock(\.self) }
    /// Set once by the program, before anything else: only its own target is built anew for each
    /// commit.
    set { noted.withLock { $0 = newValue } }
  }

  private static let noted = Mutex("unknown")

  /// `diffit 0.2.0 (commit abcdef0, kernels avx512)`
  ///
  /// - Parameter kernels: the instruction set that the ranks agreed on.
  package static func description(kernels: KernelTable.Level) -> String {
    "diffit \(version) (commit \(commit), kernels \(kernels))"
  }
}
