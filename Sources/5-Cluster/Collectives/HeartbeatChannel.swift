import Foundation

/// Datagrams between the ranks of a job beside MPI, which cannot say who is missing while it waits.
///
/// UDP over IPv4, one socket a rank. Two ranks watch: the first, and one on another host where there are
/// several, so that the first is missed too. All ranks tell the watchers of themselves, and the watchers
/// tell all. A datagram that is lost is followed by another; none that is foreign gets past the token.
package final class HeartbeatChannel: Sendable {
  package let rank: Int
  /// The host of each rank.
  package let hosts: [String]
  /// The ranks that watch, in the order in which they speak.
  package let watchers: [Int]
  /// Nil where this rank could not open a socket.
  private let socket: UDPSocket?
  private let token: Heartbeat.Token
  /// Where each rank may be reached: every address, because which of them is routed is not known.
  private let addresses: [[UDPSocket.Address]]

  /// Opens the sockets and exchanges their addresses. Collective. Where UDP is not possible the channel is
  /// silent.
  ///
  /// - Parameter isMute: neither sends nor hears anything; for tests.
  package init(
    over communicator: any Communicator, isMute: Bool = false
  ) throws(CommunicationError) {
    rank = communicator.rank
    socket = isMute ? nil : UDPSocket()
    var random = SystemRandomNumberGenerator()
    let mine = (0..<Heartbeat.tokenSize).map { _ in UInt8.random(in: 0...255, using: &random) }
    token = try communicator.broadcast(mine)
    let records = try communicator.gather(socket?.addresses.flatMap(\.bytes) ?? [])
    let hosts = try communicator.hosts()
    let own = communicator.host
    addresses = zip(records, hosts).map { record, host in
      // Loopback means another host elsewhere.
      UDPSocket.Address.all(in: record).filter { host == own || !$0.isLoopback }
    }
    self.hosts = hosts
    let second = hosts.firstIndex { $0 != hosts[0] } ?? 1
    watchers = communicator.size > 1 ? [0, second] : [0]
  }

  /// Sends to whom it concerns; never waits.
  package func send(_ beat: Heartbeat) {
    guard let socket else { return }
    let bytes = beat.encoded(token)
    let readers = watchers.contains(rank) ? Array(hosts.indices) : watchers
    for reader in readers where reader != rank {
      for address in addresses[reader] { socket.send(bytes, to: address) }
    }
  }

  /// Calls `body` with each heartbeat that arrives within the time.
  package func receive(seconds: Double, _ body: (Heartbeat) -> Void) {
    guard let socket else {
      usleep(useconds_t(seconds * 1e6))
      return
    }
    socket.receive(seconds: seconds, capacity: Heartbeat.capacity + 1) { bytes in
      if let beat = Heartbeat(bytes, token: token), hosts.indices.contains(beat.rank) { body(beat) }
    }
  }
}
