/// Philox 4x32-10, a counter-based generator: 128 bits of counter and 64 bits of key give 128 random
/// bits, without state.
///
/// Source: Salmon et al., "Parallel random numbers: as easy as 1, 2, 3" (SC 2011).
public enum Philox {
  public typealias Block = SIMD4<UInt32>

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

/// What a random number is for. Streams never overlap; their numbers are part of every run's bits and
/// are never reused.
public enum RandomPurpose: UInt32, Sendable {
  case initialization = 1
  case order = 2
  case augmentation = 3
  case labelDropout = 4
  case sigma = 5
  case noise = 6
  case dropout = 7
  case samplerNoise = 8
  case samplerChurn = 9
  case samplerLabel = 10
  case shapes = 11
  case features = 12
  case timestep = 13
  case latent = 14
  case test = 255
}

/// Random numbers as a pure function of (seed, stream, position, draw).
///
/// The key is the seed; the counter is (draw / 4, purpose << 24 | substream, position's low and high
/// word); draw d is word d % 4 of its block. The position is a sample's place in the run's image
/// sequence, or an image's seed when sampling; never a rank, a thread or a time.
public struct RandomStream: Sendable {
  public let seed: UInt64
  public let position: UInt64
  let stream: UInt32

  /// - Parameter substream: a layer or a phase within the purpose, below 2^24.
  public init(seed: UInt64, _ purpose: RandomPurpose, substream: Int = 0, position: UInt64) {
    invariant(substream >= 0 && substream < 1 << 24, "RandomStream: substream \(substream)")
    self.seed = seed
    self.position = position
    stream = purpose.rawValue << 24 | UInt32(substream)
  }

  /// The stream's second counter word, for kernels that draw by themselves.
  public var counterWord: UInt32 { stream }

  public func block(_ index: Int) -> Philox.Block {
    Philox.block(
      counter: Philox.Block(
        UInt32(truncatingIfNeeded: index), stream, UInt32(truncatingIfNeeded: position),
        UInt32(truncatingIfNeeded: position >> 32)),
      key: SIMD2(UInt32(truncatingIfNeeded: seed), UInt32(truncatingIfNeeded: seed >> 32)))
  }

  /// 32 uniform bits.
  public func bits(_ draw: Int) -> UInt32 { block(draw >> 2)[draw & 3] }

  /// Uniform in (0, 1): (bits + 1/2) / 2^32.
  public func uniform(_ draw: Int) -> Double { RandomStream.uniform(bits(draw)) }

  /// Uniform in 0..<bound, by multiplication; the bias is below bound / 2^32.
  ///
  /// - Parameter bound: 1 to 2^32.
  public func index(below bound: Int, _ draw: Int) -> Int {
    invariant(bound >= 1 && bound <= 1 << 32, "RandomStream.index: bound \(bound)")
    return Int((UInt64(bits(draw)) * UInt64(bound)) >> 32)  // Swift's >> binds before *
  }

  /// A standard normal: draws 2i and 2i + 1 of the uniform bits give normals 2i and 2i + 1 by
  /// Box-Muller.
  public func normal(_ draw: Int) -> Double {
    let pair = normalPair(draw >> 1)
    return draw & 1 == 0 ? pair.0 : pair.1
  }

  /// Writes normals `0..<count`, rounded to f32.
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

  /// Normals `0..<count`.
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
