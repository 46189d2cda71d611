@preconcurrency import Dispatch
import Foundation
import Synchronization

/// Notes SIGUSR1, SIGTERM and SIGINT instead of dying of them, so that the ranks can save and end
/// together. SIGINT after one of them ends the process as usual.
///
/// Signals are noted until the process ends: a signal that is sent again while a job saves or ends
/// must not kill it.
final class StopSignal: Sendable {
  private let noted = Mutex<String?>(nil)

  /// Returns when signals are being noted. Until then they have their usual effect, so that none is
  /// lost.
  init() {
    let registered = DispatchGroup()
    for (number, name) in [(SIGUSR1, "SIGUSR1"), (SIGTERM, "SIGTERM"), (SIGINT, "SIGINT")] {
      let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
      registered.enter()
      source.setRegistrationHandler { registered.leave() }
      // The source is kept alive by its own handler.
      source.setEventHandler { withExtendedLifetime(source) { self.note(number, name) } }
      source.activate()
    }
    registered.wait()
  }

  /// The name of the first signal that came; nil where none did.
  var reason: String? { noted.withLock { $0 } }

  private func note(_ number: Int32, _ name: String) {
    let isFirst = noted.withLock { noted in
      defer { noted = noted ?? name }
      return noted == nil
    }
    if isFirst || number != SIGINT { return }
    var interrupt = sigset_t()
    sigemptyset(&interrupt)
    sigaddset(&interrupt, SIGINT)
    signal(SIGINT, SIG_DFL)
    pthread_sigmask(SIG_UNBLOCK, &interrupt, nil)
    raise(SIGINT)
  }
}
