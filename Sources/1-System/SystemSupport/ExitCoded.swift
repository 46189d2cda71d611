/// An error that decides with which code the program ends. Any other error ends it with 1.
package protocol ExitCoded: Error {
  var exitCode: Int32 { get }
}
