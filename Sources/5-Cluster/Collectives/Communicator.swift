import TensorCore

/// The ranks of one job. Every operation is collective: all ranks call the same ones in the same
/// order, with the same counts, and block until their part is done.
///
/// Calls may come from any thread, one after the other. A thrown `failed` leaves the other ranks
/// waiting, so it must end in `abort(code:)`; the other errors are seen by all ranks alike.
package protocol Communicator: AnyObject, Sendable {
  var rank: Int { get }
  var size: Int { get }
  /// This rank's place among the ranks of its node, and their number.
  var localRank: Int { get }
  var localSize: Int { get }
  /// The node's name (`gethostname`).
  var host: String { get }
  /// The library and its version, for logs.
  var library: String { get }
  /// What this process is doing, for a thread that watches it.
  var activity: Activity { get }

  func barrier() throws(CommunicationError)

  /// Overwrites `bytes` with those of rank `root`.
  func broadcast(
    _ bytes: UnsafeMutableRawBufferPointer, from root: Int
  ) throws(CommunicationError)

  /// Writes the bytes of rank r, as many on each rank, to `all[r * mine.count...]`.
  func gather(
    _ mine: UnsafeRawBufferPointer, into all: UnsafeMutableRawBufferPointer
  ) throws(CommunicationError)

  /// Reduces each element over the ranks, in place. The order of additions is the library's.
  func reduce<Element: Reducible>(
    _ values: UnsafeMutableBufferPointer<Element>, _ reduction: Reduction
  ) throws(CommunicationError)

  /// Starts adding up the f32 elements of `tensor` over the ranks, in place. They may be neither read
  /// nor written before the sum is complete.
  func startSum(_ tensor: Tensor) throws(CommunicationError) -> any PendingMessages

  /// Starts sending to and receiving from every other rank. Elements that are sent must stay as they
  /// are, those that are received be left alone, until all have arrived.
  func startAllToAll(_ exchange: AllToAll) throws(CommunicationError) -> any PendingMessages

  /// Leaves the job in good order. Nothing may be called afterwards.
  func finalize() throws(CommunicationError)

  /// Ends all ranks at once with this exit code, wherever they are.
  func abort(code: Int32) -> Never
}

/// Messages in flight. They hold their tensors' storage, and advance only inside calls of the library.
package protocol PendingMessages: AnyObject {
  /// Whether all have arrived; also lets them advance.
  func isComplete() throws(CommunicationError) -> Bool
  /// Returns when all have arrived.
  func wait() throws(CommunicationError)
}

/// What each rank sends to and receives from each other.
package struct AllToAll {
  package let from: Tensor
  /// Elements of `from` for each rank; the own entry is left out.
  package let sent: [Range<Int>]
  /// Of the same element type; may be `from` where no element is both sent and received.
  package let to: Tensor
  /// Elements of `to` from each rank; the own entry is left out.
  package let received: [Range<Int>]
  /// Tells exchanges that overlap in time apart; 0 to 32767.
  package let tag: Int

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

  /// Fills in the other ranks' pieces of a tensor of which each rank holds its own.
  ///
  /// - Parameters:
  ///   - pieces: elements of each rank.
  ///   - rank: the own one.
  init(sharing tensor: Tensor, pieces: [Range<Int>], from rank: Int, tag: Int) {
    self.init(
      from: tensor, sent: [Range<Int>](repeating: pieces[rank], count: pieces.count), to: tensor,
      received: pieces, tag: tag)
  }
}

package enum Reduction: Sendable {
  case sum, min, max
}

/// Element types that ranks can reduce.
package protocol Reducible: BitwiseCopyable {
  static var reducibleType: ReducibleType { get }
}

package enum ReducibleType: Sendable {
  case float32, float64, int64
}

extension Float: Reducible {
  package static var reducibleType: ReducibleType { .float32 }
}
extension Double: Reducible {
  package static var reducibleType: ReducibleType { .float64 }
}
extension Int64: Reducible {
  package static var reducibleType: ReducibleType { .int64 }
}
