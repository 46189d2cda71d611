import FileFormats
import Images
import Operators
import Scores
import SystemSupport
import TensorCore

/// The built-in feature network: four convolutions with fixed random weights, for a Frechet
/// distance that needs no file. It sees colour, contrast, sharpness and noise and the statistics of
/// local structure, and knows no classes; its distance is called `fd_random` and is no FID.
///
/// 3x3 convolutions of 24, 48, 64 and 64 channels at full, half, quarter and eighth size, each
/// clipped to 0...1; a feature is the mean of a channel over the image, 200 together. Three
/// quarters of the first layer's filters ignore the colour itself and see only differences between
/// neighbours. Half of these are amplified eight times, so that noise far below the contrast of an
/// image moves them, and half twice, so that they tell much noise from more. Other filters are
/// normal draws of a length of sqrt(2), so that all layers have values of the same size. 25 MFLOP
/// per 32 x 32 image.
///
/// Sides above 64 pixels are averaged down to 64 first, which bounds the cost and means that detail
/// beyond is not seen. Statistics of images of different sizes should not be compared.
package struct RandomFeatures: FeatureExtractor {
  /// The name in results and reference files.
  package let name = "builtin"
  /// XXH3-128 of the weights.
  package let digest: String
  /// Images are taken as they are; sides above 64 pixels are averaged down.
  package let protocolName = "native"
  /// 200 features, the means of all channels.
  package let widths: [FeatureKind: Int] = [.random: channels.dropFirst().reduce(0, +)]

  private static let channels = [3, 24, 48, 64, 64]
  /// Outputs of the first layer that see the colour itself.
  private static let colours = 6
  /// Of every other filter that does not.
  private static let gains = (even: 8.0, odd: 2.0)
  private static let largestSide = 64
  /// Images computed at once, at most.
  private static let batch = 32

  private let layers: [FrozenConvolution]

  /// - Parameter context: its memory holds the weights; others may run the network if they have the
  ///   same kernels.
  package init(on context: ComputeContext) {
    var layers: [FrozenConvolution] = []
    var checksum = Checksum()
    for layer in 0..<RandomFeatures.channels.count - 1 {
      let weights = RandomFeatures.weights(layer)
      weights.withUnsafeBytes { checksum.update($0) }
      layers.append(
        FrozenConvolution(
          ImageWindow(3, stride: layer == 0 ? 1 : 2, padding: 1),
          inputs: RandomFeatures.channels[layer], outputs: RandomFeatures.channels[layer + 1],
          weights: weights, bias: nil, on: context))
    }
    (self.layers, digest) = (layers, checksum.digest)
  }

  /// [3, 3, inputs, outputs], the same bits on every machine.
  private static func weights(_ layer: Int) -> [Float] {
    let (inputs, outputs) = (channels[layer], channels[layer + 1])
    var weights = RandomStream(seed: 0, .features, substream: layer, position: 0)
      .normals(9 * inputs * outputs)
    for output in 0..<outputs {
      if layer == 0 && output >= colours {
        for input in 0..<inputs {
          let places = (0..<9).map { ($0 * inputs + input) * outputs + output }
          let mean = places.reduce(0) { $0 + weights[$1] } / 9
          for place in places { weights[place] -= mean }
        }
      }
      let places = (0..<9 * inputs).map { $0 * outputs + output }
      let length = places.reduce(0) { $0 + weights[$1] * weights[$1] }.squareRoot()
      var scale = 2.0.squareRoot() / length
      if layer == 0 && output >= colours { scale *= output % 2 == 0 ? gains.even : gains.odd }
      for place in places { weights[place] *= scale }
    }
    return weights.map(Float.init)
  }

  /// The features of a few images, which may differ in size; see `FeatureExtractor`.
  package func features(
    of images: [RGBImage], kinds: Set<FeatureKind>, on context: ComputeContext
  ) -> [FeatureKind: FeatureMatrix] {
    invariant(kinds.isSubset(of: widths.keys), "RandomFeatures: kinds \(kinds)")
    guard let kind = kinds.first, let width = widths[kind] else { return [:] }
    var (values, start) = ([Float](), 0)
    values.reserveCapacity(images.count * width)
    while start < images.count {
      let size = RandomFeatures.size(images[start])
      let alike = images[start...].prefix(RandomFeatures.batch).prefix {
        RandomFeatures.size($0) == size
      }
      values += run(inputs(alike, size, on: context))
      start = alike.endIndex
    }
    return [kind: FeatureMatrix(width: width, values: values)]
  }

  /// [B, H, W, 3] -> rows of all means.
  private func run(_ images: Tensor) -> [Float] {
    var x = images
    let means = layers.map { layer in
      x = layer(x)
      x.clip(atMost: 1)  // the layer has raised to 0
      return PoolOperator.imageMeans(x)
    }
    return (0..<images.shape[0]).flatMap { image in
      means.flatMap { $0[image..<image + 1].floats }
    }
  }

  private struct Size: Equatable {
    let height: Int
    let width: Int
  }

  private static func size(_ image: RGBImage) -> Size {
    Size(height: min(image.height, largestSide), width: min(image.width, largestSide))
  }

  /// [B, H, W, 3] in -1...1.
  private func inputs(
    _ images: ArraySlice<RGBImage>, _ size: Size, on context: ComputeContext
  ) -> Tensor {
    let result = Tensor([images.count, size.height, size.width, 3], on: context)
    result.withFloats { to in
      context.threads.forRanges(of: images.count) { range in
        for i in range {
          BoxAverage.reduce(
            images[images.startIndex + i], height: size.height, width: size.width,
            to + i * size.height * size.width * 3)
        }
      }
    }
    return result
  }
}
