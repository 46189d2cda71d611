import SystemSupport

/// Why a run or a checkpoint does not hold the network that a command needs. Each description is
/// one line.
package enum ModelError: Error, Equatable, Sendable {
  /// The checkpoint's tensors are not those of the network.
  case otherNetwork(checkpoint: String, differences: [String])
  /// An autoencoder, where a network that samples images is needed.
  case samplesNothing(checkpoint: String)
  /// Something else, where an autoencoder is needed.
  case notAnAutoencoder(path: String)
  /// A safetensors file without a configuration in its metadata, and no configuration file that names
  /// its network.
  case noSettings(file: String)
  /// A weight is infinite or not a number; `index` is the element's index in memory's order.
  case notFinite(origin: String, tensor: String, index: Int, found: Float)
  /// A latent network whose manifest does not say which latents it was trained on.
  case latentsUnknown(checkpoint: String)
  /// The checkpoint has no average of the weights with the name that `--ema` gives.
  case noAverage(name: String, present: [String], checkpoint: String)
}

extension ModelError: CustomStringConvertible {
  package var description: String { Format.line(text) }

  private var text: String {
    switch self {
    case .otherNetwork(let checkpoint, let differences):
      differences.isEmpty
        ? "\(checkpoint): its tensors are not those of its settings: another version of this"
          + " program wrote it; use that version"
        : "\(checkpoint): holds another network: \(differences.joined(separator: "; ")); use the"
          + " run's settings, or another --run"
    case .samplesNothing(let checkpoint):
      "\(checkpoint): an autoencoder, which samples no images and has no denoising loss; name a run"
        + " of another model.kind, or measure it with `diffit evaluate --metrics psnr,fd_random`"
    case .notAnAutoencoder(let path):
      "\(path): not an autoencoder; name a run or a checkpoint of model.kind vae"
    case .noSettings(let file):
      "\(file): its metadata hold no \(WeightsFile.Key.configuration), so its network is not known;"
        + " name a configuration with --config, or export the run again"
    case .notFinite(let origin, let tensor, let index, let found):
      "\(origin): tensor \(tensor) is not finite: element \(index) is \(found); use a checkpoint from"
        + " before the training diverged, and train on with a lower optimizer.lr"
    case .latentsUnknown(let checkpoint):
      "\(checkpoint): a latent network, but its manifest has no \(LatentMetadata.prefix)vae, factor and"
        + " scale that a program could use; use another checkpoint"
    case .noAverage(let name, let present, let checkpoint):
      "--ema: \(checkpoint) holds no average \"\(name)\"; it holds"
        + " \(present.isEmpty ? "none" : present.joined(separator: ", "))"
    }
  }
}

extension ModelError: ExitCoded {
  /// 2 where the command or the configuration has to change, 1 where the weights are bad.
  package var exitCode: Int32 {
    switch self {
    case .notFinite, .latentsUnknown: 1
    case .otherNetwork, .samplesNothing, .notAnAutoencoder, .noAverage, .noSettings: 2
    }
  }
}
