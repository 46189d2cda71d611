/// Where the images come from and how they are varied.
package struct DataSettings: Codable, Equatable, Sendable {
  package enum Kind: String, Codable, CaseIterable, Sendable {
    /// Drawn by the program; needs no files.
    case shapes
    /// The official binary files, their folder or the `.tar.gz`.
    case cifar10
    /// One sub-folder of JPEG or PNG files a class.
    case folder
    /// Tar shards in WebDataset's naming, or one tar a class: a file, or a folder of them.
    case tar
    /// EDM's layout: a .zip, or a folder, of PNG files with `dataset.json`.
    case packed
    /// Latents that `diffit data encode` made: a folder.
    case latents
  }

  package var kind = Kind.cifar10
  package var path = "data/cifar10"
  /// Probability of each augmentation; above 0 the network takes the 9 augmentation labels.
  package var augment = 0.12
  /// Held-out images, of the same kind as `path`. Empty: CIFAR-10's test split beside its training split,
  /// drawn shapes that no run trains on, none for others.
  package var validation = ""
  /// Of `latents`: the autoencoder that makes pictures of what is drawn. Empty: none, and no pictures.
  package var vae = ""
  /// Of `latents`: what they are multiplied by. 0: 1 over their standard deviation, as measured.
  package var latentScale = 0.18215

  package init() {}

  package enum CodingKeys: String, CodingKey {
    case kind, path, augment, validation, vae
    case latentScale = "latent_scale"
  }
}

extension DataSettings.Kind {
  /// The number of classes, where it is known without looking at the files.
  package var classCount: Int? {
    switch self {
    case .shapes, .cifar10: 10
    case .folder, .tar, .packed, .latents: nil
    }
  }
}

extension DataSettings {
  /// Where the images come from, for people.
  package var summary: String { kind == .shapes ? "drawn shapes" : path }
}

extension DataSettings: SettingsSection {
  typealias Key = CodingKeys

  package static var settings: [Setting<DataSettings>] {
    [
      Setting(Key.kind, \.kind, .choice),
      Setting(Key.path, \.path, .text),
      Setting(Key.augment, \.augment, .number),
      Setting(Key.validation, \.validation, .text),
      Setting(Key.vae, \.vae, .text),
      Setting(Key.latentScale, \.latentScale, .number),
    ]
  }

  package func validate() throws(SettingProblem) {
    try require(
      kind == .shapes || !path.isEmpty, .path, "empty", expected: "a path to the data",
      remedy: "set data.path, or data.kind to shapes, which needs no files")
    try require(.augment, augment, in: 0...1)
    try require(
      latentScale >= 0 && latentScale.isFinite, .latentScale, latentScale,
      expected: "0 (as measured) or a number above it")
    try require(
      kind == .latents || vae.isEmpty, .vae, vae,
      expected: "empty with data.kind \(kind): pictures need no autoencoder",
      remedy: "leave data.vae out, or set data.kind to latents")
    try require(
      kind != .latents || augment == 0, .augment, augment,
      expected: "0 with data.kind latents: only pictures can be augmented",
      remedy: "set data.augment=0; mirrored pictures are among the latents")
  }
}
