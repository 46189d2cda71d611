import TensorCore

/// What built this program, for manifests and headers.
enum Build {
  static let version = "0.1.0"
  static var description: String { "diffit \(version), kernels \(KernelTable.best.level)" }
}
