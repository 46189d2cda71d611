import Configuration
import DiffiTModels
import RunData

extension Configuration {
  /// What the configuration's run trains, declared; it takes no memory yet.
  ///
  /// - Parameters:
  ///   - perceptual: the perceptual term of an autoencoder's loss, with its weights read.
  ///   - decoder: turns a latent network's samples into images.
  package func task(
    perceptual: PerceptualDistance? = nil, decoder: LatentDecoder? = nil
  ) -> any TrainingTask {
    model.kind == .vae
      ? AutoencoderTask(self, perceptual: perceptual) : DiffusionTask(self, decoder: decoder)
  }
}
