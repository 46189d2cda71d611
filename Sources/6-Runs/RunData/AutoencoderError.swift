import Checkpoints
import SystemSupport

/// What can be wrong with an autoencoder in diffusers' layout. Each description is one line.
package enum AutoencoderError: Error, Equatable, Sendable {
  /// The file's tensors are not those of the network.
  case weights(CheckpointError)
  /// A weight is infinite or not a number; `index` counts the tensor's elements, row-major.
  case notFinite(path: String, tensor: String, index: Int, found: Float)
  /// The folder holds no weights that are read; `found`: files of weights in other formats.
  case weightsMissing(folder: String, found: [String])
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
  package var description: String { Format.line(text) }

  private var text: String {
    switch self {
    case .weights(let error): "\(error)"
    case .notFinite(let path, let tensor, let index, let found):
      "\(path): tensor \(tensor) is not finite: element \(index) is \(found); use whole weights, such"
        + " as those of another precision"
    case .weightsMissing(let folder, let found):
      "\(folder): no diffusion_pytorch_model.safetensors in it"
        + (found.first.map {
          ", only \($0), which is not read; convert it: launch/convert-weights.py \(folder)/\($0)"
            + " \(folder)/diffusion_pytorch_model.safetensors"
        } ?? "; download it beside config.json")
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
    case .configurationSyntax, .notFinite, .weightsMissing: 1
    }
  }
}
