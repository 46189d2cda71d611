import Collectives
import Foundation
import Reporting
import SystemSupport

/// Measures how the time of training is divided among the phases of a step.
package final class PhaseClock {
  enum Phase: Int, CaseIterable {
    case data, forward, backward, exposedComm, optimizer
  }

  private let activity: Activity
  private var seconds = [Double](repeating: 0, count: Phase.allCases.count)

  /// - Parameter activity: is told of each phase, for the watchdog.
  init(_ activity: Activity) { self.activity = activity }

  func measure<R>(_ phase: Phase, _ body: () throws -> R) rethrows -> R {
    activity.enter(phase.activity)
    let start = MonotonicClock.now
    defer { seconds[phase.rawValue] += MonotonicClock.now - start }
    return try body()
  }

  /// Seconds of each phase since the last call.
  ///
  /// - Parameter sums: seconds of adding up gradients over the ranks, which are measured elsewhere:
  ///   hidden behind backward, and exposed.
  func lap(sums: (hidden: Double, exposed: Double)) -> PhaseSeconds {
    defer { seconds = seconds.map { _ in 0 } }
    func time(_ phase: Phase) -> Double { seconds[phase.rawValue] }
    return PhaseSeconds(
      data: time(.data), forward: time(.forward), backward: time(.backward),
      exposedComm: time(.exposedComm) + sums.exposed, hiddenComm: sums.hidden,
      optimizer: time(.optimizer))
  }
}

extension PhaseClock.Phase {
  /// The phase's name for the watchdog.
  var activity: Activity.Phase {
    switch self {
    case .data: .data
    case .forward: .forward
    case .backward: .backward
    case .exposedComm: .communication
    case .optimizer: .optimizer
    }
  }
}
