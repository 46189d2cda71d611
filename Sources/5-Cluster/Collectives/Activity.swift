import Synchronization

/// What this process is doing now. The threads that do it write it, and a watching thread reads it.
///
/// Each value can be read at any time. The one lock guards only the assignment of a name, so no
/// thread can be blocked in MPI or on a file while it holds the lock.
///
/// ```swift
/// import Collectives
///
/// let activity = Activity()
/// activity.enter(.forward)
/// activity.reach(images: 512)
/// print(activity.state.phase, activity.state.images)  // forward 512
/// ```
package final class Activity: Sendable {
  /// The phases of a run.
  package enum Phase: UInt8, CaseIterable, Sendable {
    /// The phases in the order of their raw values, which heartbeats carry.
    case startUp, data, forward, backward, communication, optimizer, saving, sampling

    /// Whether one rank may do this work for as long as files and networks need, while the others
    /// wait.
    package var mayTakeLong: Bool {
      switch self {
      case .startUp, .saving, .sampling: true
      case .data, .forward, .backward, .communication, .optimizer: false
      }
    }
  }

  /// The values at one moment.
  package struct State: Equatable, Sendable {
    /// Images that all ranks together have seen since the run began.
    package var images: Int
    /// The phase that this process is in.
    package var phase: Phase
    /// The MPI operation that this process is in; nil outside of MPI.
    package var operation: String?
    /// How many collective operations the ranks have begun so far, the present one included. The
    /// same number means the same operation on every rank.
    package var collectives: Int
    /// A counter of all changes; if it stays the same, nothing has moved.
    package var changes: Int

    /// A state with these values.
    package init(
      images: Int = 0, phase: Phase = .startUp, operation: String? = nil, collectives: Int = 0,
      changes: Int = 0
    ) {
      (self.images, self.phase, self.operation) = (images, phase, operation)
      (self.collectives, self.changes) = (collectives, changes)
    }

    /// Whether this process waits for others: either in an operation, or for messages that another
    /// of its threads drives.
    package var isWaiting: Bool { operation != nil || phase == .communication }
  }

  private let images = Atomic(0)
  private let phase = Atomic(Phase.startUp.rawValue)
  private let operation = Mutex<String?>(nil)
  private let collectives = Atomic(0)
  private let changes = Atomic(0)

  /// The start-up phase, and nothing done.
  package init() {}

  /// The values now. They are read one after the other, so they may belong to neighbouring moments.
  package var state: State {
    State(
      images: images.load(ordering: .relaxed),
      phase: Phase(rawValue: phase.load(ordering: .relaxed)) ?? .startUp,
      operation: operation.withLock { $0 }, collectives: collectives.load(ordering: .relaxed),
      changes: changes.load(ordering: .relaxed))
  }

  /// Reports that another phase has begun.
  package func enter(_ phase: Phase) {
    self.phase.store(phase.rawValue, ordering: .relaxed)
    change()
  }

  /// Reports how many images the run has seen.
  package func reach(images: Int) {
    self.images.store(images, ordering: .relaxed)
    change()
  }

  /// Runs `body`, an operation of the MPI library.
  ///
  /// - Parameters:
  ///   - name: the operation. `progress of ...` only checks whether messages have arrived, so it
  ///     counts as neither waiting nor a change. `end of ...` waits for an operation that was
  ///     counted when it started.
  ///   - body: the call.
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
