import Collectives
import Datasets
import Diffusion
import Images
import LinearAlgebra
import ModelLoading
import TensorCore

/// The least denoising loss that any network can have on a training set, and a network's own on the
/// same noisy images: what is left to gain at each noise level.
///
/// The best denoiser of a set of images y_i is D(x) = sum_i softmax_i(-|x - y_i|^2 / (2 sigma^2)) y_i,
/// over the images of the noisy image's class where the network knows classes. Source: Karras et
/// al., arXiv:2206.00364, eq. (57); as a diagnosis of training, arXiv:2506.13763.
package struct OptimalLoss: Encodable, Equatable, Sendable {
  /// Images that make up the set, mirrored ones included.
  package let set: Int
  /// The network's loss, without dropout.
  package let measured: HeldOutLoss
  /// The least loss.
  package let optimal: HeldOutLoss

  /// The largest set for which it is computed.
  package static let largestSet = 60_000
  /// Images of the set whose distances are computed at once.
  private static let block = 2_048
  private static let firstPosition: UInt64 = 1 << 63

  /// Measures `count` images of the set, evenly spaced in it. Image i gets the noise that a held-out
  /// image i gets. Collective.
  ///
  /// - Parameters:
  ///   - examples: the training set as it is stored.
  ///   - mirrors: whether the network was trained on mirrored images as well.
  ///   - progress: told of images of the set that are done.
  package static func measure(
    _ model: DenoisingModel, _ edm: EDM, on examples: any TrainingDataset, mirrors: Bool,
    count: Int, batch: Int, context: ComputeContext, over communicator: any Communicator,
    progress: (_ done: Int, _ total: Int) -> Void
  ) throws -> OptimalLoss {
    let own = communicator.share(of: count)
    let draws = (0..<count).map { edm.draw(seed: 0, position: firstPosition + UInt64($0)) }
    let (measured, optimal) = try communicator.agree {
      let noisy = try NoisyImages(
        own, of: count, examples, sigmas: draws[own].map(\.sigma), on: context)
      let denoised = try noisy.bestDenoised(
        by: examples, mirrors: mirrors, byClass: model.classes > 0, block: block, on: context,
        progress: progress)
      let optimal = noisy.losses(of: denoised, edm)
      let measured = model.parameters.withPackedWeights {
        stride(from: 0, to: own.count, by: batch).flatMap { start in
          noisy.losses(
            of: model, edm, start..<min(start + batch, own.count), on: context)
        }
      }
      return (measured, optimal)
    }
    let sigmas = draws.map(\.sigma)
    return OptimalLoss(
      set: examples.count * (mirrors ? 2 : 1),
      measured: HeldOutLoss(try communicator.gather(values: measured), sigmas: sigmas),
      optimal: HeldOutLoss(try communicator.gather(values: optimal), sigmas: sigmas))
  }
}

/// Images of a set with noise, and what denoisers make of them.
private struct NoisyImages {
  let clean: [Float]
  let noise: [Float]
  /// x = y + sigma n, [count, size].
  let noisy: [Double]
  let labels: [Int]
  let sigmas: [Double]
  let size: Int

  /// - Parameters:
  ///   - own: which of the `count` images.
  ///   - sigmas: a noise level for each.
  init(
    _ own: Range<Int>, of count: Int, _ examples: any TrainingDataset, sigmas: [Double],
    on context: ComputeContext
  ) throws {
    size = examples.sampleSize
    let firstPosition: UInt64 = 1 << 63
    let samples = try own.map {
      try examples.sample(
        $0 * examples.count / count, seed: 0, position: firstPosition + UInt64($0))
    }
    (clean, labels, self.sigmas) = (samples.flatMap(\.values), samples.map(\.label), sigmas)
    let images = Tensor(clean, [own.count, 1, 1, size], on: context)
    noise =
      trainingNoise(
        seed: 0, positions: own.map { firstPosition + UInt64($0) }, like: images
      ).floats
    var noisy = [Double](repeating: 0, count: clean.count)
    for at in clean.indices {
      noisy[at] = Double(clean[at]) + sigmas[at / size] * Double(noise[at])
    }
    self.noisy = noisy
  }

  /// The best denoiser's images, [count, size]. The set goes by in blocks; the weights of all blocks
  /// so far are relative to the largest of them.
  func bestDenoised(
    by examples: any TrainingDataset, mirrors: Bool, byClass: Bool, block: Int,
    on context: ComputeContext, progress: (_ done: Int, _ total: Int) -> Void
  ) throws -> [Double] {
    let count = sigmas.count
    var sums = [Double](repeating: 0, count: count * size)
    var (totals, largest) = (
      [Double](repeating: 0, count: count), sigmas.map { _ in -Double.infinity }
    )
    guard count > 0 else { return sums }
    for start in stride(from: 0, to: examples.count, by: block) {
      let part = try (start..<min(start + block, examples.count)).map {
        try examples.sample($0, seed: 0, position: UInt64($0))
      }
      for isMirrored in mirrors ? [false, true] : [false] {
        let set = part.flatMap { sample in
          var values = sample.values
          if isMirrored {
            values.withUnsafeMutableBufferPointer {
              Augmentation.mirrored.apply(
                to: $0, height: examples.shape[0], width: examples.shape[1])
            }
          }
          return values.map(Double.init)
        }
        let squares = part.indices.map { at in
          set[at * size..<(at + 1) * size].reduce(0) { $0 + $1 * $1 }
        }
        var weights = Matrices.product(
          noisy, set, transposed: true, rows: count, columns: part.count, on: context.threads)
        for row in 0..<count {
          let (first, scale) = (row * part.count, 2 * sigmas[row] * sigmas[row])
          for column in part.indices {
            let fits = !byClass || part[column].label == labels[row]
            weights[first + column] =
              fits ? (2 * weights[first + column] - squares[column]) / scale : -.infinity
          }
          let top = weights[first..<first + part.count].reduce(largest[row], max)
          let fade = top > largest[row] ? PortableMath.exp(max(largest[row] - top, -700)) : 1
          totals[row] *= fade
          for at in row * size..<(row + 1) * size where fade != 1 { sums[at] *= fade }
          for at in first..<first + part.count {
            // Not a number where no image so far is of the class.
            let exponent = weights[at] - top
            weights[at] = exponent >= -700 ? PortableMath.exp(exponent) : 0
            totals[row] += weights[at]
          }
          largest[row] = top
        }
        let added = Matrices.product(
          weights, set, transposed: false, rows: count, columns: size, on: context.threads)
        for at in sums.indices { sums[at] += added[at] }
      }
      progress(min(start + block, examples.count), examples.count)
    }
    for at in sums.indices { sums[at] /= totals[at / size] }
    return sums
  }

  /// The loss of each image for these denoised images.
  func losses(of denoised: [Double], _ edm: EDM) -> [Double] {
    sigmas.indices.map { image in
      let squares = (image * size..<(image + 1) * size).reduce(0.0) { sum, at in
        let error = denoised[at] - Double(clean[at])
        return sum + error * error
      }
      return edm.weight(sigmas[image]) * squares / Double(size)
    }
  }

  /// The loss of some images for a network.
  func losses(
    of model: DenoisingModel, _ edm: EDM, _ part: Range<Int>, on context: ComputeContext
  ) -> [Double] {
    let shape = model.imageShape(batch: part.count)
    func tensor(_ values: [Float]) -> Tensor {
      Tensor(Array(values[part.lowerBound * size..<part.upperBound * size]), shape, on: context)
    }
    return edm.loss(
      tensor(clean), sigma: Array(sigmas[part]), noise: tensor(noise), batch: 1
    ) {
      model.network(
        $0, time: $1, labels: model.classes > 0 ? Array(labels[part]) : nil, augment: nil)
    }.terms
  }
}
