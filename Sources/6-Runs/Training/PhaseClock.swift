import Collectives
import Foundation
import SystemSupport

/// Where the time of training goes.
package final class PhaseClock {
  enum Phase: Int, CaseIterable {
    case data, forward, backward, exposedComm, optimizer
  }

  private let activity: Activity
  private var seconds = [Double](repeating: 0, count: Phase.allCases.count)

  /// - Parameter activity: told of each phase.
  init(_ activity: Activity) { self.activity = activity }

  func measure<R>(_ phase: Phase, _ body: () throws -> R) rethrows -> R {
    activity.enter(phase.activity)
    let start = MonotonicClock.now
    defer { seconds[phase.rawValue] += MonotonicClock.now - start }
    return try body()
  }

  /// Seconds of each phase since the last call.
  ///
  /// - Parameter sums: of the sums of gradients, which have a clock of their own.
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
  /// As the watchdog knows it.
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
