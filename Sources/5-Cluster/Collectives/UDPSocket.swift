import Foundation

/// A UDP socket on all IPv4 interfaces of this host (`socket`, `bind`, `sendto`, `recv`).
final class UDPSocket: Sendable {
  /// An IPv4 address and a port, both in network byte order.
  struct Address: Hashable, Sendable {
    /// Four bytes of the address and two of the port.
    let bytes: [UInt8]

    var isLoopback: Bool { bytes[0] == 127 }

    /// The addresses in a record, which holds them one after the other.
    static func all(in record: [UInt8]) -> [Address] {
      stride(from: 0, to: record.count / 6 * 6, by: 6).map {
        Address(bytes: Array(record[$0..<$0 + 6]))
      }
    }

    fileprivate var system: sockaddr_in {
      var address = sockaddr_in()
      address.sin_family = sa_family_t(AF_INET)
      withUnsafeMutableBytes(of: &address.sin_addr) { $0.copyBytes(from: bytes[..<4]) }
      withUnsafeMutableBytes(of: &address.sin_port) { $0.copyBytes(from: bytes[4...]) }
      return address
    }
  }

  /// Where this socket can be reached, loopback included.
  let addresses: [Address]
  private let descriptor: Int32

  /// Nil if the system cannot provide such a socket.
  init?() {
    let type = Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue)
    let descriptor = Glibc.socket(AF_INET, type, 0)
    guard descriptor >= 0 else { return nil }
    var own = Address(bytes: [0, 0, 0, 0, 0, 0]).system
    var size = socklen_t(MemoryLayout<sockaddr_in>.size)
    let isBound = withUnsafeMutablePointer(to: &own) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        bind(descriptor, $0, size) == 0 && getsockname(descriptor, $0, &size) == 0
      }
    }
    guard isBound else {
      close(descriptor)
      return nil
    }
    self.descriptor = descriptor
    let port = withUnsafeBytes(of: own.sin_port) { Array($0) }
    addresses = UDPSocket.interfaces().map { Address(bytes: $0 + port) }
  }

  deinit { close(descriptor) }

  /// Sends a datagram if it can. Errors are ignored, because a later datagram may succeed.
  func send(_ bytes: [UInt8], to address: Address) {
    var to = address.system
    let size = socklen_t(MemoryLayout<sockaddr_in>.size)
    withUnsafePointer(to: &to) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        _ = sendto(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL), $0, size)
      }
    }
  }

  /// Calls `body` with each datagram that arrives within so many seconds.
  func receive(seconds: Double, capacity: Int, _ body: (ArraySlice<UInt8>) -> Void) {
    let end = ContinuousClock.now + .seconds(seconds)
    var buffer = [UInt8](repeating: 0, count: capacity)
    while true {
      let left = (end - .now) / .milliseconds(1)
      var waiting = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
      guard left > 0 else { return }
      // A signal, or nothing, ended the wait: check the time again.
      guard poll(&waiting, 1, Int32(left.rounded(.up))) > 0 else { continue }
      let count = recv(descriptor, &buffer, buffer.count, 0)
      if count > 0 { body(buffer[..<count]) }
    }
  }

  /// The IPv4 addresses of the interfaces that are up (`getifaddrs`), at most eight; the first is
  /// always loopback.
  private static func interfaces() -> [[UInt8]] {
    let loopback: [UInt8] = [127, 0, 0, 1]
    var first: UnsafeMutablePointer<ifaddrs>?
    guard getifaddrs(&first) == 0, let first else { return [loopback] }
    defer { freeifaddrs(first) }
    var found: [[UInt8]] = []
    for entry in sequence(first: first, next: \.pointee.ifa_next) {
      guard let address = entry.pointee.ifa_addr,
        Int32(address.pointee.sa_family) == AF_INET,
        entry.pointee.ifa_flags & UInt32(IFF_UP) != 0
      else { continue }
      let bytes = address.withMemoryRebound(to: sockaddr_in.self, capacity: 1) {
        withUnsafeBytes(of: $0.pointee.sin_addr) { Array($0) }
      }
      if bytes[0] != 127 { found.append(bytes) }
    }
    return [loopback] + found.prefix(7)
  }
}
