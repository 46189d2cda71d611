@preconcurrency import Dispatch
import Foundation
import Synchronization

/// Notes SIGUSR1, SIGTERM and SIGINT instead of dying of them, so that the ranks can save and leave
/// together. A second SIGINT ends the process as usual.
final class StopRequest: Sendable {
  private let noted = Mutex<String?>(nil)
  private let sources: [any DispatchSourceSignal]

  init() {
    let names = [SIGUSR1: "SIGUSR1", SIGTERM: "SIGTERM", SIGINT: "SIGINT"]
    sources = names.keys.map { number in
      signal(number, SIG_IGN)
      return DispatchSource.makeSignalSource(signal: number, queue: .global())
    }
    for (number, source) in zip(names.keys, sources) {
      source.setEventHandler { [weak self] in
        self?.noted.withLock { $0 = names[number] }
        if number == SIGINT { signal(SIGINT, SIG_DFL) }
      }
      source.resume()
    }
  }

  deinit { for source in sources { source.cancel() } }

  /// The signal that came, if one did.
  var reason: String? { noted.withLock { $0 } }
}
