/// `diffit doctor`.
package struct DoctorOptions: Equatable, Sendable {
  /// A file for the results; `-`: standard output.
  package let json: String?

  /// Options with a place for the results; nil: only the terminal.
  package init(json: String? = nil) { self.json = json }
}
