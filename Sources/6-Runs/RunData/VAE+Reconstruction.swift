import Autodiff
import DiffiTModels
import FileFormats
import Images
import TensorCore

extension VAE {
  /// Encodes images of one size and decodes the means of their latents, quantised to 8 bits.
  package func reconstructions(of images: [RGBImage], on context: ComputeContext) -> [RGBImage] {
    let shape: Shape = [images.count, images[0].height, images[0].width, 3]
    let pixels = Tensor(images.flatMap(\.normalized), shape, on: context)
    return parameters.withPackedWeights {
      RGBImage.images(decode(encode(Variable(pixels)).mean).value)
    }
  }
}
