import TensorCore

/// Where a sampler's standard normals come from: from seeds when sampling, from elsewhere to compare
/// with another program.
public protocol SampleNoise {
  /// Images drawn together, B.
  var images: Int { get }
  /// The first noise, B x `count` normals, image by image.
  func first(_ count: Int) -> [Double]
  /// The noise that `step` adds, B x `count` normals; asked for at most once a step, in order of steps, and
  /// only where the sampler adds any.
  func added(at step: Int, _ count: Int) -> [Double]
}

/// Noise as a function of each image's seed: nothing else that a batch holds changes it.
public struct SeededNoise: SampleNoise, Sendable {
  public let seeds: [UInt64]

  public init(_ seeds: [UInt64]) { self.seeds = seeds }

  public var images: Int { seeds.count }

  public func first(_ count: Int) -> [Double] { normals(.samplerNoise, 0, count) }
  public func added(at step: Int, _ count: Int) -> [Double] { normals(.samplerChurn, step, count) }

  private func normals(_ purpose: RandomPurpose, _ substream: Int, _ count: Int) -> [Double] {
    seeds.flatMap {
      RandomStream(seed: 0, purpose, substream: substream, position: $0).normals(count)
    }
  }
}
