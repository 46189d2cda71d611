import Foundation
import ProcessSupport
import Testing

/// The other files of this target, and those of the package in Tests/Examples, hold the examples of the
/// documentation. That they compile is the test of the examples; that they are not stale is this one.
@Suite struct ExamplesTests {
  @Test("The generated files hold the examples of the documentation")
  func generatedFilesAreFresh() throws {
    let root = URL(fileURLWithPath: #filePath)
      .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    let script = root.appendingPathComponent("Tests/Checks/examples.sh").path
    let outcome = try Command(["bash", script, "--check"]).run()
    #expect(outcome.code == 0, "\(outcome.errors)")
  }
}
