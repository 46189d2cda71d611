import Synchronization

/// What this process is doing now: written by the threads that do it, read by one that watches them.
///
/// Each value can be read at any time. The one lock guards the assignment of a name, so that no thread
/// can be blocked in MPI or in a file while it holds it.
package final class Activity: Sendable {
  package enum Phase: UInt8, CaseIterable, Sendable {
    case startUp, data, forward, backward, communication, optimizer, saving, sampling

    /// Work that one rank may do alone, for as long as files and networks need, while others wait.
    package var mayTakeLong: Bool {
      switch self {
      case .startUp, .saving, .sampling: true
      case .data, .forward, .backward, .communication, .optimizer: false
      }
    }
  }

  /// The values at a moment.
  package struct State: Equatable, Sendable {
    /// Images of all ranks since the run began.
    package var images: Int
    package var phase: Phase
    /// The MPI operation this process is in.
    package var operation: String?
    /// Operations of all ranks together so far, the present one included: the same number means the same
    /// operation on every rank.
    package var collectives: Int
    /// Grows with whatever changes: where it stays the same, nothing has moved.
    package var changes: Int

    package init(
      images: Int = 0, phase: Phase = .startUp, operation: String? = nil, collectives: Int = 0,
      changes: Int = 0
    ) {
      (self.images, self.phase, self.operation) = (images, phase, operation)
      (self.collectives, self.changes) = (collectives, changes)
    }

    /// Whether this process waits for others: in an operation, or for messages that another of its
    /// threads drives.
    package var isWaiting: Bool { operation != nil || phase == .communication }
  }

  private let images = Atomic(0)
  private let phase = Atomic(Phase.startUp.rawValue)
  private let operation = Mutex<String?>(nil)
  private let collectives = Atomic(0)
  private let changes = Atomic(0)

  package init() {}

  /// The values now. They are read one after the other, so they may be of neighbouring moments.
  package var state: State {
    State(
      images: images.load(ordering: .relaxed),
      phase: Phase(rawValue: phase.load(ordering: .relaxed)) ?? .startUp,
      operation: operation.withLock { $0 }, collectives: collectives.load(ordering: .relaxed),
      changes: changes.load(ordering: .relaxed))
  }

  /// Tells that another phase has begun.
  package func enter(_ phase: Phase) {
    self.phase.store(phase.rawValue, ordering: .relaxed)
    change()
  }

  /// Tells how far the run has come.
  package func reach(images: Int) {
    self.images.store(images, ordering: .relaxed)
    change()
  }

  /// Runs `body`, an operation of the MPI library.
  ///
  /// - Parameter name: `progress of ...` only looks whether messages have arrived: it neither waits nor
  ///   moves anything. `end of ...` waits for what an operation that has been counted started.
  package func during<R>(_ name: String, _ body: () -> R) -> R {
    if name.hasPrefix("progress of") { return body() }
    if !name.hasPrefix("end of") { collectives.add(1, ordering: .relaxed) }
    operation.withLock { $0 = name }
    change()
    defer {
      operation.withLock { $0 = nil }
      change()
    }
    return body()
  }

  private func change() { changes.add(1, ordering: .relaxed) }
}
