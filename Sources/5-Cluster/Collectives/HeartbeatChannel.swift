import Foundation

/// Datagrams between the ranks of a job, beside MPI, which cannot tell which rank is missing while
/// it waits.
///
/// It uses UDP over IPv4 with one socket per rank. Two ranks are watchers: the first one, and one
/// on another host if there are several hosts, so that a loss of the first is noticed too. All
/// ranks report to the watchers, and the watchers report to all. A lost datagram is followed by
/// another one, and the token keeps foreign datagrams out.
package final class HeartbeatChannel: Sendable {
  /// This rank.
  package let rank: Int
  /// The host name of each rank.
  package let hosts: [String]
  /// The watching ranks, in the order in which they act.
  package let watchers: [Int]
  /// Nil if this rank could not open a socket.
  private let socket: UDPSocket?
  private let token: Heartbeat.Token
  /// All addresses of each rank, because it is not known which of them can be reached.
  private let addresses: [[UDPSocket.Address]]

  /// Opens the sockets and exchanges their addresses. Collective. If UDP is not possible, the
  /// channel is silent.
  ///
  /// - Parameters:
  ///   - communicator: the ranks.
  ///   - isMute: whether the channel neither sends nor receives anything, for tests.
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
      // On another host, the loopback address means that host itself.
      UDPSocket.Address.all(in: record).filter { host == own || !$0.isLoopback }
    }
    self.hosts = hosts
    let second = hosts.firstIndex { $0 != hosts[0] } ?? 1
    watchers = communicator.size > 1 ? [0, second] : [0]
  }

  /// Sends a heartbeat to the ranks that should get it; never waits.
  package func send(_ beat: Heartbeat) {
    guard let socket else { return }
    let bytes = beat.encoded(token)
    let readers = watchers.contains(rank) ? Array(hosts.indices) : watchers
    for reader in readers where reader != rank {
      for address in addresses[reader] { socket.send(bytes, to: address) }
    }
  }

  /// Calls `body` with each heartbeat that arrives within so many seconds.
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
