import CommandSupport
import Foundation
import TensorCore

/// A fault that a test asks for through the environment. It is of no use for real runs.
///
///     DIFFIT_TEST_FAULT=KIND[@images=N,rank=R]
///
/// strikes rank R (every rank where none is given) in the first step that begins at N images or
/// later, or in the first save at N images or later.
package struct FaultPoint: Sendable {
  /// The environment variable's name.
  package static let variable = "DIFFIT_TEST_FAULT"

  /// The kinds of faults.
  package enum Kind: Equatable, Sendable {
    /// SIGSTOP: the process stops with all its threads.
    case stop
    /// SIGKILL.
    case kill
    /// One step's images are not finite, and so are the loss and all gradients.
    case nan
    /// Sleeps in each step from there on; the value is in seconds.
    case slow(Double)
    /// SIGKILL after the rank has written its file of a checkpoint, before the checkpoint is
    /// committed.
    case killInSave
    /// Sleeps for ever outside MPI, while the other threads go on.
    case hang
    /// Neither sends nor receives heartbeats, from the start.
    case mute
  }

  /// Which fault it is.
  package let kind: Kind
  /// Images of all ranks from which on it strikes.
  package private(set) var images = 0
  /// The rank that it strikes. Nil: every rank.
  package private(set) var rank: Int?

  /// The fault that the environment names; nil where the variable is not set.
  ///
  /// - Throws: where the variable's value is malformed.
  package init?(environment: [String: String] = ProcessInfo.processInfo.environment)
    throws(OptionError)
  {
    guard let text = environment[FaultPoint.variable] else { return nil }
    let parts = text.split(separator: "@", maxSplits: 1, omittingEmptySubsequences: false)
    guard let kind = FaultPoint.kind(parts[0]) else { throw FaultPoint.malformed(text) }
    self.kind = kind
    for place in parts.count > 1
      ? parts[1].split(separator: ",", omittingEmptySubsequences: false) : []
    {
      let pair = place.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      guard pair.count == 2, let number = Int(pair[1]), number >= 0 else {
        throw FaultPoint.malformed(text)
      }
      switch pair[0] {
      case "images": images = number
      case "rank": rank = number
      default: throw FaultPoint.malformed(text)
      }
    }
  }

  private static func kind(_ text: Substring) -> Kind? {
    switch text {
    case "stop": return .stop
    case "kill": return .kill
    case "nan": return .nan
    case "kill-in-save": return .killInSave
    case "hang": return .hang
    case "mute": return .mute
    default:
      guard text.hasPrefix("slow="), let seconds = Double(text.dropFirst(5)), seconds > 0,
        seconds <= 3600
      else { return nil }
      return .slow(seconds)
    }
  }

  private static func malformed(_ text: String) -> OptionError {
    OptionError(
      option: variable, found: "'\(text)'",
      expected: "stop, kill, nan, slow=SECONDS, kill-in-save, hang or mute, then"
        + " @images=N,rank=R; this variable is for tests: unset it")
  }

  private func strikes(_ rank: Int) -> Bool { self.rank == nil || self.rank == rank }

  /// Whether it strikes in this step.
  private func strikes(in moment: StepMoment) -> Bool {
    strikes(moment.rank) && moment.images >= images
  }

  /// Whether this step is the first one in which it strikes.
  private func isFirst(_ moment: StepMoment) -> Bool { moment.images - moment.batch < images }
}

extension FaultPoint: StepHook {
  /// Stops, kills, hangs or slows this rank.
  package func stepBegins(_ moment: StepMoment) {
    guard strikes(in: moment) else { return }
    switch kind {
    case .stop where isFirst(moment): raise(SIGSTOP)
    case .kill where isFirst(moment): raise(SIGKILL)
    case .hang where isFirst(moment): while true { sleep(1000) }
    case .slow(let seconds): usleep(useconds_t(seconds * 1e6))
    case .stop, .kill, .hang, .nan, .killInSave, .mute: break
    }
  }

  /// Makes one step's images not finite.
  package func imagesAreReady(_ images: [Tensor], _ moment: StepMoment) {
    guard kind == .nan, strikes(in: moment), isFirst(moment) else { return }
    for tensor in images { tensor.fill(.nan) }
  }

  /// Kills this rank in a save.
  package func shardIsWritten(_ moment: StepMoment) {
    if kind == .killInSave, strikes(in: moment) { raise(SIGKILL) }
  }

  /// Whether the fault mutes this rank.
  package func mutesHeartbeats(of rank: Int) -> Bool { kind == .mute && strikes(rank) }
}
