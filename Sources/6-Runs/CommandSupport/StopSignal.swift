import Foundation
import Synchronization

/// Notes SIGUSR1, SIGTERM and SIGINT instead of dying of them, so that the ranks can save and end
/// together. SIGINT after one of them ends the process as usual.
///
/// Signals are noted until the process ends: a signal that is sent again while a job saves or ends
/// must not kill it. No thread is needed, which a system that is short of them could refuse.
package struct StopSignal: Sendable {
  private static let names = [SIGUSR1: "SIGUSR1", SIGTERM: "SIGTERM", SIGINT: "SIGINT"]

  /// Returns when signals are being noted. Until then they have their usual effect, so that none is
  /// lost.
  package init() {
    _ = firstSignal.load(ordering: .sequentiallyConsistent)  // made before a handler may use it
    var action = sigaction()
    action.__sigaction_handler.sa_handler = { number in
      let isFirst = firstSignal.compareExchange(
        expected: 0, desired: number, ordering: .sequentiallyConsistent
      ).exchanged
      if isFirst || number != SIGINT { return }
      // Blocked until the handler returns; then it ends the process.
      signal(SIGINT, SIG_DFL)
      raise(SIGINT)
    }
    action.sa_flags = SA_RESTART
    for number in Self.names.keys { sigaction(number, &action, nil) }
  }

  /// The name of the first signal that came; nil where none did.
  package var reason: String? { Self.names[firstSignal.load(ordering: .sequentiallyConsistent)] }
}

/// The number of the first signal that came, 0 where none did; the only thing that the handler of
/// signals writes.
private let firstSignal = Atomic<Int32>(0)
