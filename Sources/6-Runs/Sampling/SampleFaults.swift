import Synchronization

/// Images that are not finite where sampling goes on all the same: while a run trains, whose weights
/// may recover.
package final class SampleFaults: Sendable {
  private let first = Mutex<SamplingError?>(nil)

  /// Starts without faults.
  package init() {}

  /// Notes a fault; the first one is kept.
  package func note(_ error: SamplingError) { first.withLock { $0 = $0 ?? error } }

  /// The first fault since the last call; nil where there was none.
  package func take() -> SamplingError? {
    first.withLock { first in
      defer { first = nil }
      return first
    }
  }
}
