import Foundation

/// Something that `log.txt` says of a run's course.
package struct LogEvent: Sendable, Equatable {
  /// What happened.
  package enum Kind: String, Sendable {
    /// The run began, or went on from a checkpoint.
    case started
    /// It reached its last image.
    case done
    /// It was asked to stop, and saved.
    case stopped
    /// It ended with an error.
    case failed
    /// A warning.
    case warning
  }

  /// What happened.
  package let kind: Kind
  /// When, in UTC as the log has it: `2026-11-27T23:10:00Z`.
  package let time: String
  /// Images seen then; nil before training began.
  package let images: Int?
  /// What the log says.
  package let text: String

  /// What a line of the log says, without its time, level and metadata; nil where it has no time.
  static func text(ofLine line: String) -> String? { parts(of: line)?.text }

  private static func parts(
    of line: String
  ) -> (time: String, level: Substring, images: Int?, text: String)? {
    let parts = line.split(separator: " ", maxSplits: 2, omittingEmptySubsequences: true)
    guard parts.count == 3, parts[0].hasSuffix("Z"), parts[0].contains("T") else { return nil }
    var rest = parts[2].drop { $0 == " " }
    var images: Int?
    while let end = rest.firstIndex(of: " "), let equals = rest[..<end].firstIndex(of: "="),
      rest[..<equals].allSatisfy({ $0.isLetter || $0 == "_" })
    {
      if rest[..<equals] == "images" { images = Int(rest[rest.index(after: equals)..<end]) }
      rest = rest[rest.index(after: end)...]
    }
    return (String(parts[0]), parts[1], images, String(rest.drop { $0 == " " }))
  }

  /// Reads a line of the log; nil where it is of no interest, or has no time.
  init?(line: String) {
    guard let (time, level, images, text) = Self.parts(of: line) else { return nil }
    switch (level, text) {
    case ("error", _), ("critical", _): kind = .failed
    case ("warning", _): kind = .warning
    case (_, let text) where text.hasPrefix("run directory: "): kind = .started
    case (_, let text) where text.hasPrefix("done: "): kind = .done
    case (_, let text) where text.hasPrefix("stopped"): kind = .stopped
    default: return nil
    }
    (self.time, self.images, self.text) = (time, images, text)
  }
}

/// Whether a run goes on.
package enum RunStatus: String, Sendable {
  /// Another process trains it.
  case running
  /// It reached its last image.
  case done
  /// It was asked to stop, and can be resumed.
  case stopped
  /// It ended with an error.
  case failed
  /// Nothing trains it, and it did not say why: it was killed.
  case lost
}
