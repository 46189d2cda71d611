import Autodiff
import DiffiTModels
import FileFormats
import Images
import TensorCore

extension VAE {
  /// Encodes images of one size and decodes the means of their latents, quantised to 8 bits.
  ///
  /// - Parameter notFinite: told the index of each image with values that are not finite.
  package func reconstructions(
    of images: [RGBImage], on context: ComputeContext, notFinite: (Int) throws -> Void
  ) rethrows -> [RGBImage] {
    let shape: Shape = [images.count, images[0].height, images[0].width, 3]
    let pixels = Tensor(images.flatMap(\.normalized), shape, on: context)
    return try parameters.withPackedWeights {
      try RGBImage.images(
        decode(encode(Variable(pixels)).mean).value, notFinite: notFinite)
    }
  }
}
