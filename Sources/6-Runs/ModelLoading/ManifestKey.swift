/// Entries of a manifest's configuration that are facts about the run and no settings.
package enum ManifestKey {
  /// The digest of the data set.
  package static let content = "data.content"
}
