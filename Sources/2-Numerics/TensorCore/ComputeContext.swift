/// The resources that the operators of one rank compute with: a thread pool, a memory pool and a
/// table of kernels. Other frameworks call it a device or a device context.
///
/// Every tensor refers to its context, so there is no global state.
///
/// ```swift
/// import TensorCore
///
/// let context = ComputeContext(threadCount: 4)
/// let zeros = Tensor(zeros: [2, 3], on: context)
/// print(context.kernels.level, zeros.shape)  // avx512 [2, 3], for example
/// ```
public final class ComputeContext: Sendable {
  /// The threads that run the parts of an operator.
  public let threads: ThreadPool
  /// The pool that the memory of this context's tensors comes from and returns to.
  public let memory: StoragePool
  /// The kernels of the instruction set in use.
  public let kernels: KernelTable
  /// Where operators report their time; nil if nobody measures them.
  public let profile: OperatorProfile?
  /// False for a meta context: operators create their result tensors and leave the contents
  /// undefined.
  public let computes: Bool

  /// Creates a context that computes.
  ///
  /// - Parameters:
  ///   - threadCount: how many threads an operator may use, the calling thread included; at least
  ///     1.
  ///   - kernels: the instruction set; by default the best one that this CPU runs.
  ///   - profile: where operators report their time.
  public init(
    threadCount: Int = 1, kernels: KernelTable = .best, profile: OperatorProfile? = nil
  ) {
    threads = ThreadPool(threadCount: threadCount)
    memory = StoragePool()
    self.kernels = kernels
    self.profile = profile
    computes = true
  }

  /// Creates a meta context (PyTorch: the meta device) for a dry run. Its memory pool counts the
  /// bytes that the work would take, no operator runs its kernel, and almost no memory is used.
  ///
  /// - Parameters:
  ///   - threadCount: how many threads operators would use; the working memory of each is counted.
  ///   - kernels: the instruction set whose packed weights and working memory are counted.
  public init(meta threadCount: Int, kernels: KernelTable = .best) {
    threads = ThreadPool(idle: threadCount)
    memory = StoragePool(meta: MetaMemory())
    self.kernels = kernels
    profile = nil
    computes = false
  }
}
