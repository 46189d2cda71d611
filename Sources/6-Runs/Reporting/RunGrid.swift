import Foundation
import ModelLoading
import SystemSupport

/// A grid of samples that a run drew.
package struct RunGrid: Sendable, Equatable {
  /// Images seen when it was drawn.
  package let images: Int
  /// Which weights drew it: `raw`, or the name of a moving average.
  package let kind: String
  /// The PNG file.
  package let path: String

  /// The grids of a run, in the order of images seen and then of their kind.
  static func all(in directory: RunDirectory) throws -> [RunGrid] {
    let folder = "\(directory.path)/samples"
    guard Files.kindIfPresent(folder) == .folder else { return [] }
    return try FileManager.default.contentsOfDirectory(atPath: folder)
      .compactMap { RunGrid(name: $0, in: folder) }
      .sorted { ($0.images, $0.kind) < ($1.images, $1.kind) }
  }

  /// Reads `images-000000010000-ema.png`; nil for another name.
  private init?(name: String, in folder: String) {
    guard name.hasPrefix("images-"), name.hasSuffix(".png") else { return nil }
    let parts = name.dropFirst("images-".count).dropLast(".png".count)
      .split(separator: "-", maxSplits: 1)
    guard parts.count == 2, let images = Int(parts[0]) else { return nil }
    (self.images, kind, path) = (images, String(parts[1]), Files.join(folder, name))
  }
}
