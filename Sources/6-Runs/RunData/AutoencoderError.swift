import Checkpoints
import SystemSupport

/// What can be wrong with an autoencoder in diffusers' layout. Each description is one line.
package enum AutoencoderError: Error, Equatable, Sendable {
  /// The file's tensors are not those of the network.
  case weights(CheckpointError)
  /// There is no `config.json`.
  case configurationMissing(path: String)
  /// `config.json` is no JSON object.
  case configurationSyntax(path: String, reason: String)
  /// A setting that these networks cannot have.
  case setting(path: String, name: String, found: String, expected: String)
  /// Latents are `found` times smaller than images.
  case factor(path: String, found: Int, expected: Int)
  /// Latents have `found` channels.
  case latentChannels(path: String, found: Int, expected: Int)
}

extension AutoencoderError: CustomStringConvertible {
  package var description: String {
    switch self {
    case .weights(let error): "\(error)"
    case .configurationMissing(let path):
      "\(path): no such file; name a folder with config.json and"
        + " diffusion_pytorch_model.safetensors"
        + " of a diffusers AutoencoderKL"
    case .configurationSyntax(let path, let reason):
      "\(path): not the settings of a network: \(reason); write or download the file again"
    case .setting(let path, let name, let found, let expected):
      "\(path): \(name) is \(found), expected \(expected); use a network of the kind of Stable"
        + " Diffusion's first autoencoder"
    case .factor(let path, let found, let expected):
      "\(path): latents are \(found) times smaller than images, expected \(expected) times; use an"
        + " autoencoder of that factor, or another resolution of latents"
    case .latentChannels(let path, let found, let expected):
      "\(path): \(found) latent channels, expected \(expected); use an autoencoder with as many, or"
        + " another network"
    }
  }
}

extension AutoencoderError: ExitCoded {
  /// 2 where another autoencoder or setting has to be chosen, else 1.
  package var exitCode: Int32 {
    switch self {
    case .setting, .factor, .latentChannels, .configurationMissing, .weights: 2
    case .configurationSyntax: 1
    }
  }
}
