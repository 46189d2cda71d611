import TensorCore

/// The ranks of one job. Every operation is collective: all ranks call the same operations in the
/// same order with the same counts, and block until their part is done.
///
/// Calls may come from any thread, one after the other. A thrown `failed` leaves the other ranks
/// waiting, so it must lead to `abort(code:)`. All ranks see the other errors alike.
///
/// ```swift
/// import Collectives
///
/// let communicator = try Launcher().start()  // over MPI under mpirun or srun, else one rank
/// let total = try communicator.sum(communicator.rank)
/// if communicator.rank == 0 { print("\(communicator.size) ranks, sum \(total)") }
/// try communicator.finalize()
/// ```
package protocol Communicator: AnyObject, Sendable {
  /// The number of this rank, in 0..<`size`.
  var rank: Int { get }
  /// How many ranks the job has (MPI: the world size).
  var size: Int { get }
  /// The number of this rank among the ranks of its host.
  var localRank: Int { get }
  /// How many ranks the host has.
  var localSize: Int { get }
  /// The host's name (`gethostname`).
  var host: String { get }
  /// The MPI library and its version, for logs.
  var library: String { get }
  /// What this process is doing, for a thread that watches it.
  var activity: Activity { get }

  /// Returns when all ranks have called it.
  func barrier() throws(CommunicationError)

  /// Overwrites `bytes` with those of rank `root`; all ranks pass as many bytes.
  func broadcast(
    _ bytes: UnsafeMutableRawBufferPointer, from root: Int
  ) throws(CommunicationError)

  /// Writes the bytes of each rank r to `all[r * mine.count...]`, on every rank (all-gather); all
  /// ranks pass as many bytes.
  func gather(
    _ mine: UnsafeRawBufferPointer, into all: UnsafeMutableRawBufferPointer
  ) throws(CommunicationError)

  /// Reduces each element over the ranks, in place (all-reduce). The library determines the order
  /// of additions.
  func reduce<Element: Reducible>(
    _ values: UnsafeMutableBufferPointer<Element>, _ reduction: Reduction
  ) throws(CommunicationError)

  /// Starts summing the f32 elements of `tensor` over the ranks, in place. They may be neither read
  /// nor written before the sum is complete.
  func startSum(_ tensor: Tensor) throws(CommunicationError) -> any PendingMessages

  /// Starts sending to and receiving from every other rank. Until everything has arrived, elements
  /// that are sent must not change, and those that are received may be neither read nor written.
  func startAllToAll(_ exchange: AllToAll) throws(CommunicationError) -> any PendingMessages

  /// Leaves the job in an orderly way. Nothing may be called afterwards.
  func finalize() throws(CommunicationError)

  /// Ends all ranks at once with this exit code, wherever they are.
  func abort(code: Int32) -> Never
}

/// Messages in flight. They retain the storage of their tensors, and advance only inside calls of
/// the library.
package protocol PendingMessages: AnyObject {
  /// Whether all have arrived; the call also lets them advance.
  func isComplete() throws(CommunicationError) -> Bool
  /// Returns when all have arrived.
  func wait() throws(CommunicationError)
}

/// What each rank sends to and receives from every other rank (MPI: alltoallv).
package struct AllToAll {
  /// The tensor that is sent from.
  package let from: Tensor
  /// The elements of `from` for each rank; the entry of this rank is ignored.
  package let sent: [Range<Int>]
  /// The tensor that is received into, of the same element type. It may be `from` if no element is
  /// both sent and received.
  package let to: Tensor
  /// The elements of `to` from each rank; the entry of this rank is ignored.
  package let received: [Range<Int>]
  /// Distinguishes exchanges that overlap in time; 0 to 32767.
  package let tag: Int

  /// An exchange; the ranges must lie within the tensors.
  package init(
    from: Tensor, sent: [Range<Int>], to: Tensor, received: [Range<Int>], tag: Int
  ) {
    invariant(
      from.dtype == to.dtype && sent.count == received.count && (0..<32768).contains(tag)
        && sent.allSatisfy { $0.lowerBound >= 0 && $0.upperBound <= from.count }
        && received.allSatisfy { $0.lowerBound >= 0 && $0.upperBound <= to.count },
      "AllToAll: \(sent) of \(from.shape) \(from.dtype), \(received) of \(to.shape) \(to.dtype),"
        + " tag \(tag)")
    (self.from, self.sent, self.to, self.received, self.tag) = (from, sent, to, received, tag)
  }

  /// Fills in the pieces of the other ranks in a tensor of which each rank holds its own piece.
  ///
  /// - Parameters:
  ///   - tensor: sent from and received into.
  ///   - pieces: the elements of each rank.
  ///   - rank: this rank.
  ///   - tag: distinguishes exchanges that overlap in time.
  init(sharing tensor: Tensor, pieces: [Range<Int>], from rank: Int, tag: Int) {
    self.init(
      from: tensor, sent: [Range<Int>](repeating: pieces[rank], count: pieces.count), to: tensor,
      received: pieces, tag: tag)
  }
}

/// How values of several ranks become one.
package enum Reduction: Sendable {
  /// The sum, the smallest and the largest value.
  case sum, min, max
}

/// Element types that ranks can reduce.
package protocol Reducible: BitwiseCopyable {
  /// The type as MPI knows it.
  static var reducibleType: ReducibleType { get }
}

/// Element types as MPI knows them.
package enum ReducibleType: Sendable {
  /// f32, f64, and 64-bit signed integers.
  case float32, float64, int64
}

extension Float: Reducible {
  /// f32.
  package static var reducibleType: ReducibleType { .float32 }
}
extension Double: Reducible {
  /// f64.
  package static var reducibleType: ReducibleType { .float64 }
}
extension Int64: Reducible {
  /// 64-bit signed integers.
  package static var reducibleType: ReducibleType { .int64 }
}
