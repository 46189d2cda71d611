import Datasets
import DiffiTModels
import Images

extension Configuration {
  /// The denoising network that the configuration describes, with what other sections say of it. No
  /// network where `model.kind` is `vae`.
  package var networkSettings: any NetworkSettings {
    if model.kind == .latent {
      var settings = model.latent
      (settings.classes, settings.dropout) = (model.classes, model.dropout)
      settings.learnsVariance = diffusion.learnsVariance
      settings.zeroInit = model.zeroInit
      return settings
    }
    var settings = model.image
    (settings.classes, settings.dropout) = (model.classes, model.dropout)
    settings.learnsVariance = diffusion.learnsVariance
    settings.zeroInit = model.zeroInit
    settings.augmentLabels = data.augment > 0 ? Augmentation.labelCount : 0
    return settings
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
    var settings = model.autoencoder
    settings.groups = VAE.Settings.largestGroups(channels: settings.channels)
    return settings
  }
}

extension NetworkProblem {
  /// The key of the setting: `head_dim` for the property `headDim`.
  var key: String {
    setting.map { $0.isUppercase ? "_\($0.lowercased())" : String($0) }.joined()
  }
}
