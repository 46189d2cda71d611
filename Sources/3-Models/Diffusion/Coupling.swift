import TensorCore

/// Noise that suits the image it is added to: of `candidates` draws, the one with the largest inner
/// product with the image. Pairs that lie closer make the paths of deterministic sampling
/// straighter. What is chosen has still about the length of noise, which the nearest of several
/// draws has not.
///
/// Source: the choice within one image of immiscible diffusion, arXiv:2505.18521, by the inner
/// product instead of the distance.
///
/// - Parameters:
///   - seed: the seed of the run.
///   - positions: the index of each image in the run's image sequence, [B]. The first candidate is
///     that of `trainingNoise`.
///   - images: the images that the noise is for, [B, H, W, C].
///   - candidates: how many there are, at least 1.
/// - Returns: a tensor with the shape of `images`.
public func coupledNoise(
  seed: UInt64, positions: [UInt64], to images: Tensor, candidates: Int
) -> Tensor {
  invariant(
    positions.count == images.shape[0] && candidates >= 1,
    "coupledNoise: \(positions.count) positions for images \(images.shape), \(candidates) candidates"
  )
  let context = images.context
  let noise = Tensor(images.shape, on: context)
  let inner = images.count / max(positions.count, 1)
  withFloats(images, noise) { images, noise in
    context.threads.forRanges(of: positions.count) { range in
      withUnsafeTemporaryAllocation(of: Float.self, capacity: inner) { drawn in
        guard let draw = drawn.baseAddress else { return }
        for image in range {
          let (from, to) = (images + image * inner, noise + image * inner)
          var best = -Double.infinity
          for candidate in 0..<candidates {
            RandomStream(seed: seed, .noise, substream: candidate, position: positions[image])
              .fillNormals(draw, count: inner)
            var product = 0.0
            for i in 0..<inner { product += Double(draw[i]) * Double(from[i]) }
            if candidate == 0 || product > best {
              best = product
              to.update(from: draw, count: inner)
            }
          }
        }
      }
    }
  }
  return noise
}
