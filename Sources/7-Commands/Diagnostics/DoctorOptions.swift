/// `diffit doctor`.
package struct DoctorOptions: Equatable, Sendable {
  /// A file for the results; `-`: standard output.
  package let json: String?

  package init(json: String? = nil) { self.json = json }
}
