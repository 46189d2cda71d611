import Autodiff
import Configuration
import Datasets
import DiffiTModels
import FileFormats
import Images
import Sampling
import TensorCore

extension AutoencoderTask {
  var previewSide: Int { vae.settings.resolution }

  func takePreviewFault() -> String? {
    defer { previewFault = nil }
    return previewFault
  }

  /// Pairs: an image of the data set, and the reconstruction from the mean of its latents.
  func previews(
    _ range: Range<Int>, _ settings: SampleSettings, of dataset: (any ImageDataset)?,
    on context: ComputeContext
  ) throws -> [RGBImage] {
    guard let dataset else { return [] }
    let indices = (range.lowerBound / 2..<(range.upperBound + 1) / 2).map { $0 % dataset.count }
    var previews: [RGBImage] = []
    for start in stride(from: 0, to: indices.count, by: ImageSampler.standardBatch) {
      let part = indices[start..<min(start + ImageSampler.standardBatch, indices.count)]
      let images = try part.map { try dataset.image($0).image }
      let reconstructed = vae.reconstructions(of: images, on: context) { index in
        previewFault =
          previewFault ?? "the reconstruction of image \(part[start + index]) is not finite"
      }
      for (image, made) in zip(images, reconstructed) { previews += [image, made] }
    }
    let first = range.lowerBound & 1
    return Array(previews[first..<first + range.count])
  }
}
