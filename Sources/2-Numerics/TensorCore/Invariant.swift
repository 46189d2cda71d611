/// Ends the program with a message if a caller has broken an operation's contract.
///
/// Unlike `precondition`, it prints its message in release builds too: which operation, and which
/// shapes.
///
/// - Parameters:
///   - condition: what must be true.
///   - message: the operation and what it was given; evaluated only if the condition is false.
@inlinable
public func invariant(
  _ condition: @autoclosure () -> Bool, _ message: @autoclosure () -> String,
  file: StaticString = #fileID, line: UInt = #line
) {
  if !condition() { fatalError(message(), file: file, line: line) }
}
