import Checkpoints
import SystemSupport

/// What can be wrong with latents on disk, and with an autoencoder beside them. Each description is one line.
package enum LatentsError: Error, Equatable, Sendable {
  /// A folder without `latents.json`: no latents, or they were never finished.
  case notLatents(path: String)
  case brokenDescription(path: String, reason: String)
  case fileSize(path: String, found: Int, expected: Int)
  case tensor(path: String, name: String, found: String, expected: String)
  case label(path: String, found: Int, classes: Int)
  /// Shapes are [channels, height, width].
  case otherShape(path: String, found: [Int], expected: [Int])
  /// The digests of the autoencoder that is there, and of the one that has to be.
  case otherAutoencoder(what: String, found: String, expected: String)
  /// Something needs pictures, and there is no autoencoder to make them.
  case noAutoencoder(what: String)
  /// An autoencoder for a run that needs none.
  case needlessAutoencoder(path: String)
  /// Pictures are compared with latents.
  case noReference(setting: String)
  /// Pictures of a side that the autoencoder cannot take.
  case resolution(found: Int, expected: String)
  case notAnAutoencoder(path: String, found: String)
  case brokenPicture(name: String, reason: String)
}

extension LatentsError: CustomStringConvertible {
  package var description: String {
    switch self {
    case .notLatents(let path):
      "\(path): no latents.json in it; name a folder that `diffit data encode` has finished"
    case .brokenDescription(let path, let reason):
      "\(path): not a description of latents: \(reason); encode the pictures again"
    case .fileSize(let path, let found, let expected):
      "\(path): \(found) bytes, expected \(expected); copy it again, or encode the pictures again"
    case .tensor(let path, let name, let found, let expected):
      "\(path): \(name) is \(found), expected \(expected); encode the pictures again"
    case .label(let path, let found, let classes):
      "\(path): label \(found), expected 0 to \(classes - 1); encode the pictures again"
    case .otherShape(let path, let found, let expected):
      "\(path): latents of \(Self.text(found)), expected \(Self.text(expected)) as model.resolution and"
        + " model.latent_channels say; change them, or encode the pictures at another --resolution"
    case .otherAutoencoder(let what, let found, let expected):
      "\(what): of another autoencoder: digest \(found), expected \(expected), that of the latents the"
        + " run was trained on; name the same autoencoder"
    case .noAutoencoder(let what):
      "\(what): a latent network needs an autoencoder to make pictures, found none; give --vae, or set"
        + " data.vae of the run"
    case .needlessAutoencoder(let path):
      "--vae: \(path), expected none: the network draws pixels; leave the flag out"
    case .noReference(let setting):
      "\(setting): none, but the run was trained on latents, which pictures are not compared with; name"
        + " images or statistics"
    case .resolution(let found, let expected):
      "--resolution: \(found), expected \(expected)"
    case .notAnAutoencoder(let path, let found):
      "\(path): holds \(found), expected an autoencoder: a folder in diffusers' layout, or a run of"
        + " model.kind vae"
    case .brokenPicture(let name, let reason):
      "broken picture \(name): \(reason); replace or remove it, or leave it out with"
        + " `diffit data convert --max-broken`"
    }
  }

  private static func text(_ shape: [Int]) -> String {
    "\(shape[1]) x \(shape[2]) with \(shape[0]) channels"
  }
}

extension LatentsError: ExitCoded {
  /// 2 where the command or the configuration has to change, else 1.
  package var exitCode: Int32 {
    switch self {
    case .otherShape, .otherAutoencoder, .noAutoencoder, .needlessAutoencoder, .noReference,
      .resolution, .notAnAutoencoder:
      2
    case .notLatents, .brokenDescription, .fileSize, .tensor, .label, .brokenPicture: 1
    }
  }
}
