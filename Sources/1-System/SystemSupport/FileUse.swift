/// What a reader expects of a file that a user names.
package enum FileUse: Equatable, Sendable {
  /// Weights, goldens, latents.
  case safetensors
  /// A configuration in YAML or JSON.
  case settings
  /// A record or description in JSON.
  case json
  /// A `.zip` or `.npz`.
  case zip
  /// Images to train on, to measure or to convert.
  case images
  /// A folder with an autoencoder, or a run.
  case autoencoder

  /// Whether a file of this kind may be what is expected. A reader finds out about `other` itself.
  package func takes(_ kind: FileKind) -> Bool {
    switch self {
    case .safetensors: [.safetensors, .other].contains(kind)
    case .settings, .json: [.json, .other].contains(kind)
    case .zip: [.zip, .other].contains(kind)
    case .images: [.zip, .tar, .gzip, .numpy, .other].contains(kind)
    case .autoencoder: false
    }
  }

  /// Throws where a file is of a kind that this use cannot take.
  ///
  /// - Parameters:
  ///   - start: the file's first bytes, `FileKind.startSize` or as many as there are.
  ///   - path: the file, for the error.
  package func check(_ start: some Sequence<UInt8>, path: String) throws(FileError) {
    try check(FileKind(start), path: path)
  }

  /// Throws where this use cannot take a file of this kind.
  package func check(_ kind: FileKind, path: String) throws(FileError) {
    guard takes(kind) else { throw .wrongKind(path: path, found: kind, use: self) }
  }

  /// For people: `a safetensors file`.
  package var name: String {
    switch self {
    case .safetensors: "a safetensors file"
    case .settings: "settings in YAML or JSON"
    case .json: "text in JSON"
    case .zip: "a .zip or .npz"
    case .images: "a folder, .zip, .tar, .npz or CIFAR-10's .tar.gz of images"
    case .autoencoder:
      "a folder with an autoencoder's config.json and diffusion_pytorch_model.safetensors, or a run"
    }
  }

  /// What to do with a file of this kind, where it is not what is expected.
  func advice(_ kind: FileKind) -> String {
    switch kind {
    case .pointer: "run `git lfs pull` in its repository, or download the file itself"
    case .page: "it is what a server sent instead of the file: download it again"
    case .empty: "write or download it again"
    case .gzip: "unpack it with gunzip"
    case .bzip2: "unpack it with bunzip2"
    case .xz: "unpack it with unxz"
    case .zstd: "unpack it with unzstd"
    case .hdf5: "convert it with Python's h5py"
    case .pytorch, .pickle: torchAdvice
    case .safetensors where self == .autoencoder: singleFileAdvice
    default: "name another file"
    }
  }

  private var torchAdvice: String {
    switch self {
    case .safetensors:
      "convert it with launch/convert-weights.py (convert-inception.py for Inception's weights,"
        + " convert-lpips.py for LPIPS's)"
    case .autoencoder: singleFileAdvice
    default: "name another file"
    }
  }

  private var singleFileAdvice: String {
    "make the folder with diffusers: AutoencoderKL.from_single_file(FILE).save_pretrained(FOLDER)"
  }
}
