import SystemSupport

/// Why a run or a checkpoint does not give the network that a command needs. Each description is one line.
package enum ModelError: Error, Equatable, Sendable {
  /// The checkpoint's tensors are not those of the network.
  case otherNetwork(checkpoint: String, differences: [String])
  case notACheckpoint(path: String)
  /// An autoencoder, where a network that draws images is needed.
  case drawsNothing(checkpoint: String)
  /// Something else, where an autoencoder is needed.
  case notAnAutoencoder(path: String)
  case noAverage(name: String, present: [String], checkpoint: String)
}

extension ModelError: CustomStringConvertible {
  package var description: String {
    switch self {
    case .otherNetwork(let checkpoint, let differences):
      differences.isEmpty
        ? "\(checkpoint): its tensors are not those of its settings: another version of this program"
          + " wrote it; use that version"
        : "\(checkpoint): holds another network: \(differences.joined(separator: "; ")); use the run's"
          + " settings, or another --run"
    case .notACheckpoint(let path):
      "\(path): neither a checkpoint nor a run with checkpoints; expected RUN or"
        + " RUN/checkpoints/images-*"
    case .drawsNothing(let checkpoint):
      "\(checkpoint): an autoencoder, which draws no images and has no denoising loss; name a run of another"
        + " model.kind, or measure it with `diffit evaluate --metrics psnr,fd_random`"
    case .notAnAutoencoder(let path):
      "\(path): not an autoencoder; name a run or a checkpoint of model.kind vae"
    case .noAverage(let name, let present, let checkpoint):
      "--ema: \(checkpoint) holds no average \"\(name)\"; it holds"
        + " \(present.isEmpty ? "none" : present.joined(separator: ", "))"
    }
  }
}

extension ModelError: ExitCoded {
  /// 2 where the command or the configuration has to change, else 1.
  package var exitCode: Int32 {
    switch self {
    case .otherNetwork, .drawsNothing, .notAnAutoencoder, .noAverage: 2
    case .notACheckpoint: 1
    }
  }
}
