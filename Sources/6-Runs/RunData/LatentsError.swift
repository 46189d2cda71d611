import Checkpoints
import SystemSupport

/// What can be wrong with latents on disk, or with the autoencoder that is used with them. Each
/// description is one line.
package enum LatentsError: Error, Equatable, Sendable {
  /// A folder without `latents.json`: no latents, or they were never finished.
  case notLatents(path: String)
  /// `latents.json` cannot be read, or describes no latents.
  case brokenDescription(path: String, reason: String)
  /// A file has another size than the description says.
  case fileSize(path: String, found: Int, expected: Int)
  /// A file's tensor is missing, or has another type or shape.
  case tensor(path: String, name: String, found: String, expected: String)
  /// A label that no class has.
  case label(path: String, found: Int, classes: Int)
  /// Latents of another size than the network's; shapes are [channels, height, width].
  case otherShape(path: String, found: [Int], expected: [Int])
  /// The digests of the autoencoder that is there, and of the one that has to be.
  case otherAutoencoder(what: String, found: String, expected: String)
  /// Images are needed, and no autoencoder to decode them is named.
  case noAutoencoder(what: String)
  /// An autoencoder is named for a network that works on pixels.
  case needlessAutoencoder(path: String)
  /// Samples would have to be compared with latents.
  case noReference(setting: String)
  /// Images of a size that the autoencoder cannot take.
  case resolution(found: Int, expected: String)
  /// Something else, where an autoencoder is needed.
  case notAnAutoencoder(path: String, found: String)
  /// An autoencoder made infinite numbers, or none, of an image.
  case notFinite(image: Int, vae: String)
  /// An image that cannot be decoded.
  case brokenImage(name: String, reason: String)
}

extension LatentsError: CustomStringConvertible {
  package var description: String { Format.line(text) }

  private var text: String {
    switch self {
    case .notLatents(let path):
      "\(path): no latents.json in it; name a folder that `diffit data encode` has finished"
    case .brokenDescription(let path, let reason):
      "\(path): not a description of latents: \(reason); encode the images again"
    case .fileSize(let path, let found, let expected):
      "\(path): \(found) bytes, expected \(expected); copy it again, or encode the images again"
    case .tensor(let path, let name, let found, let expected):
      "\(path): \(name) is \(found), expected \(expected); encode the images again"
    case .label(let path, let found, let classes):
      "\(path): label \(found), expected 0 to \(classes - 1); encode the images again"
    case .otherShape(let path, let found, let expected):
      "\(path): latents of \(Self.text(found)), expected \(Self.text(expected)) as model.resolution"
        + " and model.latent_channels say; change them, or encode the images at another"
        + " --resolution"
    case .otherAutoencoder(let what, let found, let expected):
      "\(what): of another autoencoder: digest \(found), expected \(expected), that of the latents"
        + " the run was trained on; name the same autoencoder"
    case .noAutoencoder(let what):
      "\(what): a latent network needs an autoencoder to decode images, found none; give --vae, or"
        + " set data.vae of the run"
    case .needlessAutoencoder(let path):
      "--vae: \(path), expected none: the network draws pixels; leave the flag out"
    case .noReference(let setting):
      "\(setting): none, but the run was trained on latents, which images are not compared with;"
        + " name images or statistics"
    case .resolution(let found, let expected):
      "--resolution: \(found), expected \(expected)"
    case .notAnAutoencoder(let path, let found):
      "\(path): holds \(found), expected an autoencoder: a folder in diffusers' layout, or a run of"
        + " model.kind vae"
    case .notFinite(let image, let vae):
      "\(vae): the latents of image \(image) are not finite; use another autoencoder, or --precision"
        + " fp32"
    case .brokenImage(let name, let reason):
      "broken image \(name): \(reason); replace or remove it, or leave it out with"
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
    case .notLatents, .brokenDescription, .fileSize, .tensor, .label, .notFinite, .brokenImage: 1
    }
  }
}
