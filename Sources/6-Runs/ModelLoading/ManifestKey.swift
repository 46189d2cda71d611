import Foundation
import SystemSupport

/// Keys of a manifest's configuration that are facts about the run and no settings.
package enum ManifestKey {
  /// The digest of the images that the run is trained on.
  package static let content = "data.content"
  /// The names of the classes of the data, as a JSON list.
  package static let classNames = "data.class_names"

  /// Whether a key is a setting.
  static func isSetting(_ key: String) -> Bool {
    key != content && key != classNames && !key.hasPrefix(LatentMetadata.prefix)
  }

  /// The value of `classNames`.
  package static func text(ofClassNames names: [String]) -> String {
    "[\(names.map(JSONText.quoted).joined(separator: ", "))]"
  }

  /// The names in a value of `classNames`; nil where there is none, or it is no list of names.
  package static func classNames(_ text: String?) -> [String]? {
    text.flatMap { try? JSONDecoder().decode([String].self, from: Data($0.utf8)) }
  }
}
