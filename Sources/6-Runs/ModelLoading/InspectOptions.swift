/// What `diffit inspect` is asked to do.
package struct InspectOptions: Equatable, Sendable {
  /// A checkpoint, a run or a safetensors file.
  package var path: String
  /// A file for the results; `-`: standard output.
  package var json: String?

  /// Takes the options as they are.
  package init(path: String, json: String? = nil) {
    self.path = path
    self.json = json
  }
}
