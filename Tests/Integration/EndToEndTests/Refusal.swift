import ProcessSupport
import Testing

/// What the program refuses. These jobs end at once and mostly wait for `mpirun` to leave, so they may
/// run beside others.
@Suite("Refusals") enum RefusalTests {}

/// Runs the program without `mpirun` and on two ranks, and expects one line and the right exit code.
func expectRefusal(
  _ code: Int32, _ command: Command, saying parts: String...,
  at location: SourceLocation = #_sourceLocation
) throws {
  for ranks in [0, 2] {
    let outcome = try command.onRanks(ranks).run()
    #expect(outcome.code == code, "\(ranks) ranks: \(outcome)", sourceLocation: location)
    #expect(outcome.complaints.count == 1, "\(outcome.errors)", sourceLocation: location)
    #expect(outcome.errors.hasPrefix("diffit: "), "\(outcome.errors)", sourceLocation: location)
    for part in parts {
      #expect(
        outcome.errors.contains(part), "\"\(part)\" is not in: \(outcome.errors)",
        sourceLocation: location)
    }
  }
}
