/// Where the images come from and how they are varied.
package struct DataSettings: Equatable, Sendable {
  package enum Kind: String, CaseIterable, Sendable {
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

  /// What the data are.
  package var kind = Kind.cifar10
  /// Where they are: a file or a folder.
  package var path = "data/cifar10"
  /// Probability of each augmentation; above 0 the network takes the 9 augmentation labels.
  package var augment = 0.12
  /// Whether half of the images are mirrored left to right.
  package var flip = false
  /// Held-out images, of the same kind as `path`. Empty: CIFAR-10's test split beside its training split,
  /// drawn shapes that no run trains on, none for others.
  package var validation = ""
  /// Of `latents`: the autoencoder that makes images of samples. Empty: none, and no images.
  package var vae = ""
  /// Of `latents`: what they are multiplied by. Nil: as their autoencoder says. 0: 1 over their
  /// standard deviation, as measured.
  package var latentScale: Double?

  package init() {}
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
  static let meaning = "The images that a run trains on, and how they are varied."

  static let settings: [Setting<DataSettings>] = [
    Setting(
      "kind", \.kind, .choice,
      """
      What the data are: `shapes` are drawn by the program and need no files; `cifar10` is \
      CIFAR-10's binary version; `folder` has a sub-folder of JPEG or PNG files per class; `tar` \
      is a file or a folder of WebDataset's tars, or of one tar per class; `packed` is a .zip or \
      a folder as EDM's tools write it; `latents` is a folder that `diffit data encode` made.
      """),
    Setting(
      "path", \.path, .text,
      """
      Where the data are: a file or a folder. For `cifar10` the folder of the .bin files, its \
      parent, or the .tar.gz. `shapes` needs none.
      """),
    Setting(
      "augment", \.augment, .number, .range(0...1),
      """
      Probability of each augmentation of EDM's pipe. Above 0 the network also takes the 9 labels \
      that tell it what was done; 0: neither.
      """),
    Setting(
      "flip", \.flip, .flag,
      """
      Whether half of the images are mirrored left to right, by the toss of a coin that has \
      nothing to do with `data.augment`. The network is not told.
      """),
    Setting(
      "validation", \.validation, .text,
      """
      Held-out images for the metrics `loss` and `psnr`, of the same kind as `data.path`. Empty: \
      CIFAR-10's test split, shapes that no run trains on, and none for the other kinds.
      """),
    Setting(
      "vae", \.vae, .text,
      """
      Of `latents`: the autoencoder that makes images of samples, a run or a folder of diffusers' \
      files. Empty: samples stay latents, and there are no grids.
      """),
    Setting(
      "latent_scale", \.latentScale, .numberOrAuto, .notNegativeOrAuto,
      """
      Of `latents`: the factor that latents are multiplied by. `auto`: the `scaling_factor` of \
      their autoencoder, else 0.18215. 0: 1 over their standard deviation, as measured when they \
      were made.
      """),
  ]

  func validate() throws(SettingProblem) {
    try require(
      kind == .shapes || !path.isEmpty, \.path, expected: "a path to the data",
      remedy: "set data.path, or data.kind to shapes, which needs no files")
    try require(
      kind == .latents || vae.isEmpty, \.vae,
      expected: "empty with data.kind \(kind): images need no autoencoder",
      remedy: "leave data.vae out, or set data.kind to latents")
    try require(
      kind != .latents || augment == 0, \.augment,
      expected: "0 with data.kind latents: only images can be augmented",
      remedy: "set data.augment=0; mirrored images are among the latents")
    try require(
      kind != .latents || !flip, \.flip,
      expected: "false with data.kind latents, which `data encode` mirrors",
      remedy: "set data.flip=false")
  }
}
