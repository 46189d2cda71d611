import TensorCore

/// What built this program, for manifests and headers.
package enum Build {
  package static let version = "0.1.0"
  /// - Parameter kernels: the instruction set that the ranks agreed on.
  package static func description(kernels: KernelTable.Level) -> String {
    "diffit \(version), kernels \(kernels)"
  }
}
