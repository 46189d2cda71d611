/// What a rank reports about itself to the others about once per second, beside MPI.
package struct Heartbeat: Equatable, Sendable {
  /// The sender.
  package var rank: Int
  /// The sender's counter. It grows with each heartbeat, because datagrams may arrive twice or
  /// late.
  package var count: Int
  /// What the sender is doing.
  package var state: Activity.State
  /// Seconds since something changed at the sender, by its own clock.
  package var still: Double

  /// A heartbeat with these values.
  package init(rank: Int, count: Int, state: Activity.State, still: Double) {
    (self.rank, self.count, self.state, self.still) = (rank, count, state, still)
  }

  /// Random bytes that distinguish the datagrams of this job from others.
  package typealias Token = [UInt8]
  /// Bytes of a token.
  package static let tokenSize = 16
  private static let fixedSize = tokenSize + 6 * 8 + 1
  /// Bytes of the longest datagram; the name of an operation is cut to fit.
  package static let capacity = fixedSize + 64

  /// The datagram: token, six 64-bit numbers in the sender's byte order (all ranks share an
  /// instruction set), the phase, and the name of the operation if there is one.
  package func encoded(_ token: Token) -> [UInt8] {
    let numbers = [
      rank, count, state.images, state.collectives, state.changes, Int(still * 1000),
    ]
    return token + numbers.flatMap { withUnsafeBytes(of: Int64($0)) { Array($0) } }
      + [state.phase.rawValue] + (state.operation ?? "").utf8.prefix(64)
  }

  /// Decodes a datagram; nil if it is not a heartbeat with this token.
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
