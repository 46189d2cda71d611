import Autodiff
import Datasets
import DiffiTModels
import TensorCore

extension AutoencodingObjective {
  var pictureSide: Int { vae.settings.resolution }

  /// Pairs: an image, and what the autoencoder makes of the mean of its latents.
  func pictures(
    _ range: Range<Int>, _ settings: SampleSettings, of dataset: (any ImageDataset)?,
    on engine: Engine
  ) throws -> [RGBImage] {
    guard let dataset else { return [] }
    let indices = (range.lowerBound / 2..<(range.upperBound + 1) / 2).map { $0 % dataset.count }
    var pictures: [RGBImage] = []
    for start in stride(from: 0, to: indices.count, by: ImageSampler.standardBatch) {
      let part = indices[start..<min(start + ImageSampler.standardBatch, indices.count)]
      let images = try part.map { try dataset.image($0).image }
      for (image, made) in zip(images, vae.reconstructions(of: images, on: engine)) {
        pictures += [image, made]
      }
    }
    let first = range.lowerBound & 1
    return Array(pictures[first..<first + range.count])
  }
}

extension VAE {
  /// Images through the means of their latents and back, quantised; of one size.
  func reconstructions(of images: [RGBImage], on engine: Engine) -> [RGBImage] {
    let shape: Shape = [images.count, images[0].height, images[0].width, 3]
    let pixels = Tensor(images.flatMap { ImageGrid.signed($0.pixels) }, shape, on: engine)
    return parameters.holdingWeights {
      ImageGrid.images(decode(encode(Variable(pixels)).mean).value)
    }
  }
}
