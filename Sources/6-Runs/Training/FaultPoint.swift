import CommandSupport
import Datasets
import Foundation

/// A fault that a test asks for through the environment; no run has any use for it.
///
///     DIFFIT_TEST_FAULT=KIND[@images=N,rank=R]
///
/// strikes rank R (every rank where none is given) in the first step that begins at N images or later, or
/// in the first save there.
package struct FaultPoint: Sendable {
  package static let variable = "DIFFIT_TEST_FAULT"

  package enum Kind: Equatable, Sendable {
    /// SIGSTOP: the process stands still with all its threads.
    case stop
    /// SIGKILL.
    case kill
    /// One step's images are not finite, and so are the loss and all gradients.
    case nan
    /// Seconds of sleep in each step from there on.
    case slow(Double)
    /// SIGKILL between the rank's shard and the commit of the checkpoint.
    case killInSave
    /// Sleeps for ever outside of MPI, while other threads go on.
    case hang
    /// Neither sends nor hears heartbeats; from the start.
    case mute
  }

  package let kind: Kind
  package private(set) var images = 0
  /// Nil: every rank.
  package private(set) var rank: Int?

  /// Nil where the variable is not set.
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

  func strikes(_ rank: Int) -> Bool { self.rank == nil || self.rank == rank }

  /// Strikes in the step of these images; returns what it is to work on.
  ///
  /// - Parameters:
  ///   - batch: this rank's part.
  ///   - size: images of a step, over all ranks.
  func strike(_ batch: Batch, step size: Int, on rank: Int) -> Batch {
    let seen = Int(batch.positions.first ?? 0) / size * size
    guard strikes(rank), seen >= images else { return batch }
    let isFirst = seen - size < images
    switch kind {
    case .stop where isFirst: raise(SIGSTOP)
    case .kill where isFirst: raise(SIGKILL)
    case .hang where isFirst: while true { sleep(1000) }
    case .slow(let seconds): usleep(useconds_t(seconds * 1e6))
    case .nan where isFirst:
      return Batch(
        positions: batch.positions, images: batch.images.map { _ in .nan }, labels: batch.labels,
        augmentLabels: batch.augmentLabels)
    case .stop, .kill, .hang, .nan, .killInSave, .mute: break
    }
    return batch
  }

  /// Strikes when this rank's shard of a checkpoint of `seen` images is written.
  func strikeInSave(at seen: Int, on rank: Int) {
    if kind == .killInSave, strikes(rank), seen >= images { raise(SIGKILL) }
  }
}
