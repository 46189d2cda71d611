/// What the operators of one rank run on: a thread pool, a memory pool and a table of kernels.
/// Every tensor knows its context, so there is no global state.
public final class ComputeContext: Sendable {
  public let threads: ThreadPool
  public let memory: StoragePool
  public let kernels: KernelTable
  public let profile: OperatorProfile?
  /// False: operators make their tensors and leave the contents undefined.
  public let computes: Bool

  /// - Parameters:
  ///   - threadCount: threads an operator may use, the calling one included.
  ///   - kernels: the instruction set; by default the best this CPU runs.
  ///   - profile: what operators report their time to.
  public init(
    threadCount: Int = 1, kernels: KernelTable = .best, profile: OperatorProfile? = nil
  ) {
    threads = ThreadPool(threadCount: threadCount)
    memory = StoragePool()
    self.kernels = kernels
    self.profile = profile
    computes = true
  }

  /// An context on which work is rehearsed: the memory pool counts what the work would take, no operator runs
  /// its kernel, and next to no memory is used.
  ///
  /// - Parameter threadCount: threads that operators would use, whose working memory is counted.
  public init(meta threadCount: Int, kernels: KernelTable = .best) {
    threads = ThreadPool(idle: threadCount)
    memory = StoragePool(meta: MetaMemory())
    self.kernels = kernels
    profile = nil
    computes = false
  }
}
