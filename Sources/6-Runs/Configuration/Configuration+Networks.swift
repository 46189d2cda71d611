import Datasets
import DiffiTModels

extension Configuration {
  /// The denoising network that the configuration describes.
  package var networkSettings: any NetworkSettings {
    model.kind == .latent ? latentSettings : imageSettings
  }

  /// What an image costs the networks that are trained.
  package var networkCost: NetworkCost {
    let precision = train.precision.dtype
    return model.kind == .vae
      ? vaeSettings.cost(precision: precision, recomputes: train.recompute)
      : networkSettings.cost(precision: precision, recomputes: train.recompute)
  }

  /// Channels of the parts of the network, from the first.
  package var networkWidths: [Int] {
    model.kind == .vae ? model.channels : networkSettings.widths
  }

  /// The autoencoder that the configuration describes.
  package var vaeSettings: VAE.Settings {
    var settings = VAE.Settings()
    settings.resolution = model.resolution
    settings.channels = model.channels
    settings.blocks = model.layers
    settings.groups = VAE.Settings.largestGroups(channels: model.channels)
    settings.latentChannels = model.latentChannels
    return settings
  }

  private var latentSettings: LatentDiffiT.Settings {
    var settings = LatentDiffiT.Settings()
    settings.resolution = model.resolution
    settings.channels = model.latentChannels
    settings.patch = model.patch
    settings.width = model.width
    settings.depth = model.depth
    settings.heads = model.heads
    settings.classes = model.classes
    settings.dropout = model.dropout
    settings.learnsVariance = diffusion.learnsVariance
    return settings
  }

  private var imageSettings: ImageDiffiT.Settings {
    var settings = ImageDiffiT.Settings()
    settings.resolution = model.resolution
    settings.channels = model.channels
    settings.blocks = model.blocks
    settings.window = model.window
    settings.headDim = model.headDim
    settings.timeDim = model.timeDim
    settings.embedDim = model.embedDim
    settings.classes = model.classes
    settings.augmentLabels = data.augment > 0 ? Augmentation.labelCount : 0
    settings.dropout = model.dropout
    settings.learnsVariance = diffusion.learnsVariance
    return settings
  }
}
