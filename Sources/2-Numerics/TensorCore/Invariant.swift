/// Ends the program with a message where a caller broke an operation's contract.
///
/// Unlike `precondition`, it tells what was wrong in release builds too: which operation, which shapes.
@inlinable
public func invariant(
  _ holds: @autoclosure () -> Bool, _ message: @autoclosure () -> String,
  file: StaticString = #fileID, line: UInt = #line
) {
  if !holds() { fatalError(message(), file: file, line: line) }
}
