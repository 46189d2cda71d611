/// What a rank tells the others of itself about once a second, beside MPI.
package struct Heartbeat: Equatable, Sendable {
  package var rank: Int
  /// Grows from one to the next: datagrams may arrive twice, and late.
  package var count: Int
  package var state: Activity.State
  /// Seconds since something changed, by the sender's own watch.
  package var still: Double

  package init(rank: Int, count: Int, state: Activity.State, still: Double) {
    (self.rank, self.count, self.state, self.still) = (rank, count, state, still)
  }

  /// Random bytes that tell this job's datagrams from foreign ones.
  package typealias Token = [UInt8]
  package static let tokenSize = 16
  private static let fixedSize = tokenSize + 6 * 8 + 1
  /// Longest datagram: an operation's name is cut to fit.
  package static let capacity = fixedSize + 64

  /// As sent: token, six numbers of 64 bits (the sender's byte order: ranks share an instruction set),
  /// the phase, and the operation's name if there is one.
  package func encoded(_ token: Token) -> [UInt8] {
    let numbers = [
      rank, count, state.images, state.collectives, state.changes, Int(still * 1000),
    ]
    return token + numbers.flatMap { withUnsafeBytes(of: Int64($0)) { Array($0) } }
      + [state.phase.rawValue] + (state.operation ?? "").utf8.prefix(64)
  }

  /// Nil where the bytes are not a heartbeat with this token.
  package init?(_ bytes: some Collection<UInt8>, token: Token) {
    let bytes = Array(bytes)
    guard bytes.count >= Heartbeat.fixedSize, bytes.count <= Heartbeat.capacity,
      bytes.starts(with: token), token.count == Heartbeat.tokenSize,
      let phase = Activity.Phase(rawValue: bytes[Heartbeat.fixedSize - 1])
    else { return nil }
    let numbers = bytes.withUnsafeBytes { bytes in
      (0..<6).map {
        bytes.loadUnaligned(fromByteOffset: Heartbeat.tokenSize + 8 * $0, as: Int64.self)
      }
    }
    guard numbers.allSatisfy({ $0 >= 0 }) else { return nil }
    let name = String(decoding: bytes[Heartbeat.fixedSize...], as: UTF8.self)
    rank = Int(numbers[0])
    count = Int(numbers[1])
    state = Activity.State(
      images: Int(numbers[2]), phase: phase, operation: name.isEmpty ? nil : name,
      collectives: Int(numbers[3]), changes: Int(numbers[4]))
    still = Double(numbers[5]) / 1000
  }
}
