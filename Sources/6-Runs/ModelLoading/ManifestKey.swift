/// Keys of a manifest's configuration that are facts about the run and no settings.
package enum ManifestKey {
  /// The digest of the images that the run is trained on.
  package static let content = "data.content"
}
