import Testing

/// The error that `body` throws, whose description has to be one line; the test fails where it throws none.
package func thrownError(
  at location: SourceLocation = #_sourceLocation, by body: () throws -> Void
) -> (any Error)? {
  do {
    try body()
    Issue.record("nothing was thrown", sourceLocation: location)
  } catch {
    let text = "\(error)"
    #expect(!text.contains("\n"), "one line: \(text)", sourceLocation: location)
    return error
  }
  return nil
}

/// The error that `body` throws, or nil.
package func errorIfThrown(by body: () throws -> Void) -> (any Error)? {
  do { try body() } catch { return error }
  return nil
}

/// Whether an error is of the expected type and equal.
package func == <Failure: Error & Equatable>(found: (any Error)?, expected: Failure) -> Bool {
  guard let found = found as? Failure else { return false }
  return found == expected
}
