import TensorCore

/// The source of a sampler's standard normal numbers: seeds in normal use, recorded numbers for a
/// comparison with another program.
public protocol SampleNoise {
  /// B, the number of images that are sampled together.
  var images: Int { get }
  /// The first noise: B x `count` standard normals, image by image.
  func first(_ count: Int) -> [Double]
  /// The noise that `step` adds: B x `count` standard normals. It is requested at most once per
  /// step, in the order of the steps, and only if the sampler adds noise.
  func added(at step: Int, _ count: Int) -> [Double]
}

/// Noise that depends only on the seed of each image, so the other images of a batch do not change
/// it.
public struct SeededNoise: SampleNoise, Sendable {
  /// One seed per image.
  public let seeds: [UInt64]

  /// Noise for one image per seed.
  public init(_ seeds: [UInt64]) { self.seeds = seeds }

  /// The number of seeds.
  public var images: Int { seeds.count }

  /// The first noise of each image.
  public func first(_ count: Int) -> [Double] { normals(.samplerNoise, 0, count) }
  /// The noise that `step` adds to each image.
  public func added(at step: Int, _ count: Int) -> [Double] { normals(.samplerChurn, step, count) }

  private func normals(_ purpose: RandomPurpose, _ substream: Int, _ count: Int) -> [Double] {
    seeds.flatMap {
      RandomStream(seed: 0, purpose, substream: substream, position: $0).normals(count)
    }
  }
}
