import Configuration
import DiffiTModels

/// An autoencoder and the discriminator that is trained beside it.
package struct AutoencoderModel {
  /// Images to latents and back.
  package let vae: VAE
  /// Nil where `vae.discriminator_start` is 0: the loss has no adversarial term.
  package let discriminator: PatchDiscriminator?

  /// Declares the networks that the configuration describes; no memory is taken yet.
  ///
  /// - Parameters:
  ///   - precision: what they compute in; nil: `train.precision`.
  ///   - recomputes: whether activations are computed again in the backward pass instead of kept.
  package init(
    _ configuration: Configuration, precision: TrainSettings.Precision? = nil,
    recomputes: Bool = false
  ) {
    let precision = (precision ?? configuration.train.precision).dtype
    vae = VAE(configuration.vaeSettings, precision: precision, recomputes: recomputes)
    guard configuration.vae.discriminatorStart > 0 else {
      discriminator = nil
      return
    }
    discriminator = PatchDiscriminator(configuration.vae.discriminator, precision: precision)
  }

  /// The sets of parameters that are trained, the autoencoder's first.
  package var sets: [DeclaredSet] {
    var sets = [DeclaredSet(prefix: "", parameters: vae.parameters)]
    if let discriminator {
      sets.append(DeclaredSet(prefix: "discriminator.", parameters: discriminator.parameters))
    }
    return sets
  }
}
