/// An error that determines the program's exit code. With any other error the code is 1.
package protocol ExitCoded: Error {
  /// The program's exit code.
  var exitCode: Int32 { get }
}
