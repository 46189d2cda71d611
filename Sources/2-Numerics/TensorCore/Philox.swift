/// Philox 4x32-10, a counter-based random number generator: a pure function from 128 bits of
/// counter and 64 bits of key to 128 random bits, without state.
///
/// Source: Salmon et al., "Parallel random numbers: as easy as 1, 2, 3" (SC 2011).
public enum Philox {
  /// Four 32-bit words: a counter, or the random bits made from it.
  public typealias Block = SIMD4<UInt32>

  /// The 128 random bits that belong to a counter and a key.
  public static func block(counter: Block, key: SIMD2<UInt32>) -> Block {
    var (c, k) = (counter, key)
    for round in 0..<10 {
      if round > 0 { k = k &+ SIMD2(0x9E37_79B9, 0xBB67_AE85) }
      let a = UInt64(c.x) * 0xD251_1F53
      let b = UInt64(c.z) * 0xCD9E_8D57
      c = Block(
        UInt32(truncatingIfNeeded: b >> 32) ^ c.y ^ k.x, UInt32(truncatingIfNeeded: b),
        UInt32(truncatingIfNeeded: a >> 32) ^ c.w ^ k.y, UInt32(truncatingIfNeeded: a))
    }
    return c
  }
}

/// What a random number is used for. Numbers of different purposes never overlap. The raw values
/// take part in the bits of every run and are never reused.
public enum RandomPurpose: UInt32, Sendable {
  /// Initial weights; the substream is the parameter's index.
  case initialization = 1
  /// The order of the training images in each epoch.
  case order = 2
  /// Augmentation of a training image.
  case augmentation = 3
  /// Which training images lose their label, for classifier-free guidance.
  case labelDropout = 4
  /// EDM's noise level of a training image.
  case sigma = 5
  /// The noise added to a training image.
  case noise = 6
  /// Dropout masks; the substream is the dropout layer.
  case dropout = 7
  /// The first noise of a sample.
  case samplerNoise = 8
  /// Noise that a sampler adds later; the substream is the step.
  case samplerChurn = 9
  /// The class of a sample whose label is drawn.
  case samplerLabel = 10
  /// Images of the built-in `shapes` data.
  case shapes = 11
  /// Weights of the random feature network of quick metrics.
  case features = 12
  /// DDPM's timestep of a training image.
  case timestep = 13
  /// The draw of a latent from an encoder's Gaussian, and whether its mirrored form is used.
  case latent = 14
  /// Frequencies and phases of the Fourier features of a noise level.
  case fourier = 15
  /// Tests, and the synthetic batches of benchmarks.
  case test = 255
}

/// Random numbers as a pure function of (seed, purpose, substream, position, draw).
///
/// The position identifies a sample: its index in the run's image sequence, or the seed of an image
/// to sample. It is never a rank, a thread or a time, so results do not depend on how the work is
/// split.
///
/// The Philox key is the seed. The counter is (draw / 4, purpose << 24 | substream, low word of the
/// position, high word of the position), and draw d is word d % 4 of that block.
///
/// ```swift
/// import TensorCore
///
/// let stream = RandomStream(seed: 7, .test, position: 42)
/// print(stream.normal(0), stream.index(below: 10, 5))  // the same two numbers on every machine
/// ```
public struct RandomStream: Sendable {
  /// The seed of the run.
  public let seed: UInt64
  /// The sample that the numbers belong to.
  public let position: UInt64
  let stream: UInt32

  /// Names a stream of numbers; nothing is computed yet.
  ///
  /// - Parameters:
  ///   - seed: the seed of the run.
  ///   - purpose: what the numbers are for.
  ///   - substream: a layer or a step within the purpose, from 0 to below 2^24.
  ///   - position: the sample that the numbers belong to.
  public init(seed: UInt64, _ purpose: RandomPurpose, substream: Int = 0, position: UInt64) {
    invariant(substream >= 0 && substream < 1 << 24, "RandomStream: substream \(substream)")
    self.seed = seed
    self.position = position
    stream = purpose.rawValue << 24 | UInt32(substream)
  }

  /// The second word of this stream's counters, for kernels that generate numbers themselves.
  public var counterWord: UInt32 { stream }

  /// The Philox block of draws 4 `index` to 4 `index` + 3.
  public func block(_ index: Int) -> Philox.Block {
    Philox.block(
      counter: Philox.Block(
        UInt32(truncatingIfNeeded: index), stream, UInt32(truncatingIfNeeded: position),
        UInt32(truncatingIfNeeded: position >> 32)),
      key: SIMD2(UInt32(truncatingIfNeeded: seed), UInt32(truncatingIfNeeded: seed >> 32)))
  }

  /// Draw number `draw` as 32 uniform bits.
  public func bits(_ draw: Int) -> UInt32 { block(draw >> 2)[draw & 3] }

  /// Draw number `draw` as a uniform number in (0, 1): (bits + 1/2) / 2^32.
  public func uniform(_ draw: Int) -> Double { RandomStream.uniform(bits(draw)) }

  /// Draw number `draw` as a uniform whole number in 0..<bound, by multiplication. The bias is
  /// below bound / 2^32.
  ///
  /// - Parameters:
  ///   - bound: 1 to 2^32.
  ///   - draw: which number of the stream.
  public func index(below bound: Int, _ draw: Int) -> Int {
    invariant(bound >= 1 && bound <= 1 << 32, "RandomStream.index: bound \(bound)")
    return Int((UInt64(bits(draw)) * UInt64(bound)) >> 32)  // Swift's >> binds before *
  }

  /// Standard normal number `draw`. By the Box-Muller transform, draws 2i and 2i + 1 of the uniform
  /// bits give normals 2i and 2i + 1.
  public func normal(_ draw: Int) -> Double {
    let pair = normalPair(draw >> 1)
    return draw & 1 == 0 ? pair.0 : pair.1
  }

  /// Writes standard normals `0..<count`, rounded to f32.
  public func fillNormals(_ to: UnsafeMutablePointer<Float>, count: Int) {
    var written = 0
    while written < count {
      let words = block(written >> 2)
      let first = RandomStream.boxMuller(words.x, words.y)
      let second = RandomStream.boxMuller(words.z, words.w)
      let values = (first.0, first.1, second.0, second.1)
      to[written] = Float(values.0)
      if written + 1 < count { to[written + 1] = Float(values.1) }
      if written + 2 < count { to[written + 2] = Float(values.2) }
      if written + 3 < count { to[written + 3] = Float(values.3) }
      written += 4
    }
  }

  /// Standard normals `0..<count`, in f64.
  public func normals(_ count: Int) -> [Double] {
    (0..<(count + 1) / 2).flatMap { pair in
      let (first, second) = normalPair(pair)
      return [first, second]
    }.dropLast(count & 1)
  }

  private func normalPair(_ pair: Int) -> (Double, Double) {
    let words = block(pair >> 1)
    return pair & 1 == 0
      ? RandomStream.boxMuller(words.x, words.y) : RandomStream.boxMuller(words.z, words.w)
  }

  static func uniform(_ bits: UInt32) -> Double { (Double(bits) + 0.5) * 0x1p-32 }

  static func boxMuller(_ a: UInt32, _ b: UInt32) -> (Double, Double) {
    let radius = (-2 * PortableMath.log(uniform(a))).squareRoot()
    let (sine, cosine) = PortableMath.sinCosOfTurns(uniform(b))
    return (radius * cosine, radius * sine)
  }
}
