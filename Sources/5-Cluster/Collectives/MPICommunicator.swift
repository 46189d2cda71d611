import CMPI
import Foundation
import Synchronization
import SystemSupport
import TensorCore

/// The ranks that `mpirun` or `srun` started, over MPI_COMM_WORLD.
package final class MPICommunicator: Communicator {
  /// The number of this rank.
  package let rank: Int
  /// How many ranks the job has.
  package let size: Int
  /// The number of this rank among the ranks of its host.
  package let localRank: Int
  /// How many ranks the host has.
  package let localSize: Int
  /// The host's name.
  package let host = Host.name
  /// The first line of the library's version.
  package let library = MPILibrary.version
  /// What this process is doing.
  package let activity = Activity()
  /// The most elements per message, because MPI counts in 32-bit integers.
  private let chunk: Int64
  /// Only one thread may be in MPI at a time (MPI_THREAD_SERIALIZED).
  private let turn = Mutex(())

  /// Starts MPI; possible once per process.
  ///
  /// - Parameters:
  ///   - launched: the number of ranks according to the launcher, which the library must confirm;
  ///     nil if unknown.
  ///   - chunk: the most elements per message, up to 2^30; tests lower it.
  package init(launched: Int? = nil, chunk: Int = 1 << 30) throws(CommunicationError) {
    invariant(chunk > 0 && chunk <= 1 << 30, "MPICommunicator: chunk \(chunk)")
    self.chunk = Int64(chunk)
    var (rank, size, localRank, localSize) = (Int32(-1), Int32(0), Int32(0), Int32(0))
    try MPICommunicator.check(cmpi_init(), "start", rank: -1)
    try MPICommunicator.check(
      cmpi_ranks(&rank, &size, &localRank, &localSize), "ranks", rank: Int(rank))
    (self.rank, self.size) = (Int(rank), Int(size))
    (self.localRank, self.localSize) = (Int(localRank), Int(localSize))
    if let launched, launched != self.size {
      throw .launcherMismatch(launched: launched, found: self.size, library: library)
    }
  }

  /// Returns when all ranks have called it (MPI_Barrier).
  package func barrier() throws(CommunicationError) { try call("barrier") { cmpi_barrier() } }

  /// Overwrites `bytes` with those of rank `root` (MPI_Bcast).
  package func broadcast(
    _ bytes: UnsafeMutableRawBufferPointer, from root: Int
  ) throws(CommunicationError) {
    invariant(root >= 0 && root < size, "broadcast: from rank \(root) of \(size)")
    guard let start = bytes.baseAddress else { return }
    try call("broadcast") { cmpi_broadcast(start, Int64(bytes.count), chunk, Int32(root)) }
  }

  /// Writes the bytes of each rank to `all`, on every rank (MPI_Allgather).
  package func gather(
    _ mine: UnsafeRawBufferPointer, into all: UnsafeMutableRawBufferPointer
  ) throws(CommunicationError) {
    invariant(
      all.count == mine.count * size, "gather: \(mine.count) bytes into \(all.count), \(size) ranks"
    )
    guard let from = mine.baseAddress, let to = all.baseAddress else { return }
    try call("gather") { cmpi_gather(from, Int64(mine.count), chunk, to) }
  }

  /// Reduces each element over the ranks, in place (MPI_Allreduce).
  package func reduce<Element: Reducible>(
    _ values: UnsafeMutableBufferPointer<Element>, _ reduction: Reduction
  ) throws(CommunicationError) {
    guard let start = values.baseAddress else { return }
    let (type, operation) = (Element.reducibleType.code, reduction.code)
    try call("reduce") { cmpi_reduce(start, Int64(values.count), chunk, type, operation) }
  }

  /// Starts a sum over the ranks (MPI_Iallreduce); see `Communicator`.
  package func startSum(_ tensor: Tensor) throws(CommunicationError) -> any PendingMessages {
    var request: UnsafeMutableRawPointer?
    let status = tensor.withFloats { floats in
      Result { () throws(CommunicationError) in
        try call("start of a sum") { cmpi_start_sum(floats, Int64(tensor.count), chunk, &request) }
      }
    }
    try status.get()
    return Messages(request, "sum", of: [tensor.storage], by: self)
  }

  /// Starts an exchange between all ranks (MPI_Isend, MPI_Irecv); see `Communicator`.
  package func startAllToAll(
    _ exchange: AllToAll
  ) throws(CommunicationError) -> any PendingMessages {
    let size = exchange.from.dtype.size
    func spans(_ ranges: [Range<Int>]) -> [Int64] {
      ranges.enumerated().flatMap { peer, range in
        [Int64(range.lowerBound * size), peer == rank ? 0 : Int64(range.count * size)]
      }
    }
    invariant(exchange.sent.count == self.size, "startAllToAll: \(exchange.sent.count) ranges")
    let (sent, received) = (spans(exchange.sent), spans(exchange.received))
    var request: UnsafeMutableRawPointer?
    let status = withElements(exchange.from, exchange.to) { from, to in
      Result { () throws(CommunicationError) in
        try call("start of an exchange") {
          cmpi_start_exchange(from, sent, to, received, Int32(exchange.tag), chunk, &request)
        }
      }
    }
    try status.get()
    return Messages(
      request, "exchange", of: [exchange.from.storage, exchange.to.storage], by: self)
  }

  /// Ends MPI in this process (MPI_Finalize).
  package func finalize() throws(CommunicationError) { try call("end") { cmpi_finalize() } }

  /// Ends all ranks with this exit code (MPI_Abort).
  package func abort(code: Int32) -> Never {
    fflush(nil)  // the library ends the process without emptying its buffers
    // Without waiting for the lock: the thread that holds it may be waiting for a rank that is
    // gone.
    _ = cmpi_abort(code)
    exit(code)
  }

  fileprivate func call(
    _ operation: String, _ body: () -> Int32
  ) throws(CommunicationError) {
    try MPICommunicator.check(
      turn.withLock { _ in activity.during(operation, body) }, operation, rank: rank)
  }

  private static func check(
    _ status: Int32, _ operation: String, rank: Int
  ) throws(CommunicationError) {
    guard status == 0 else {
      throw .failed(
        rank: rank, operation: operation, reason: MPILibrary.explanation(of: status))
    }
  }
}

private final class Messages: PendingMessages {
  private var request: UnsafeMutableRawPointer?
  private let name: String
  private let storage: [Storage]
  private let communicator: MPICommunicator

  init(
    _ request: UnsafeMutableRawPointer?, _ name: String, of storage: [Storage],
    by communicator: MPICommunicator
  ) {
    (self.request, self.name, self.storage) = (request, name, storage)
    self.communicator = communicator
  }

  /// If messages are released before they are complete, as happens when an error is thrown, the
  /// library may still write. Their memory is therefore leaked instead of being used again.
  deinit { if request != nil { for one in storage { _ = Unmanaged.passRetained(one) } } }

  func isComplete() throws(CommunicationError) -> Bool {
    guard request != nil else { return true }
    var done: Int32 = 0
    try communicator.call("progress of a \(name)") { cmpi_test(&request, &done) }
    return done != 0
  }

  func wait() throws(CommunicationError) {
    guard request != nil else { return }
    try communicator.call("end of a \(name)") { cmpi_wait(&request) }
  }
}

extension ReducibleType {
  fileprivate var code: Int32 {
    switch self {
    case .float32: Int32(CMPI_F32)
    case .float64: Int32(CMPI_F64)
    case .int64: Int32(CMPI_I64)
    }
  }
}

extension Reduction {
  fileprivate var code: Int32 {
    switch self {
    case .sum: Int32(CMPI_SUM)
    case .min: Int32(CMPI_MIN)
    case .max: Int32(CMPI_MAX)
    }
  }
}
