import TensorCore

extension Communicator {
  /// The kernels that all ranks use: the lowest of their best instruction sets, because bits differ
  /// between instruction sets. Collective.
  package func agreedKernels() throws -> KernelTable {
    let level = try reduce(Int64(KernelTable.best.level.rawValue), .min)
    return KernelTable.Level(rawValue: Int(level)).flatMap { KernelTable($0) } ?? .best
  }

  /// A context with this rank's threads and the kernels that all ranks use. Collective.
  package func agreedContext() throws -> ComputeContext {
    ComputeContext(threadCount: try CoreShare(of: self).threads, kernels: try agreedKernels())
  }
}
