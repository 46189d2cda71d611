import TensorCore
import Testing

@Suite struct RandomStreamTests {
  let stream = RandomStream(seed: 2024, .test, position: 1)

  @Test func uniformsLieInsideTheOpenIntervalAndFillItEvenly() {
    let draws = 160_000
    var bins = [Int](repeating: 0, count: 16)
    for draw in 0..<draws {
      let u = stream.uniform(draw)
      #expect(u > 0 && u < 1)
      bins[Int(u * 16)] += 1
    }
    let expected = Double(draws) / 16
    let chiSquared = bins.reduce(0.0) { $0 + (Double($1) - expected) * (Double($1) - expected) }
    // 15 degrees of freedom: 37.7 is exceeded once in a thousand seeds.
    #expect(chiSquared / expected < 37.7)
  }

  @Test func uniformIsTheBitsAndAHalfOverTwoToThe32() {
    for draw in 0..<100 {
      #expect(stream.uniform(draw) == (Double(stream.bits(draw)) + 0.5) / 4_294_967_296)
    }
  }

  @Test(arguments: [1, 2, 3, 10, 1000, 5000])
  func indicesReachEveryValueBelowTheBoundEvenly(bound: Int) {
    let draws = bound * 200
    var seen = [Int](repeating: 0, count: bound)
    for draw in 0..<draws {
      let index = stream.index(below: bound, draw)
      #expect(index >= 0 && index < bound)
      if seen.indices.contains(index) { seen[index] += 1 }
    }
    // 200 expected with a deviation of 14: six deviations either way.
    #expect(seen.allSatisfy { bound == 1 || (115...285).contains($0) })
  }

  @Test func indicesOfTheWidestBoundAreTheBitsThemselves() {
    for draw in 0..<20 { #expect(stream.index(below: 1 << 32, draw) == Int(stream.bits(draw))) }
  }

  @Test func aBoundThatHasNoIndexTraps() async {
    await #expect(processExitsWith: .failure) {
      _ = RandomStream(seed: 0, .test, position: 0).index(below: 0, 0)
    }
    await #expect(processExitsWith: .failure) {
      _ = RandomStream(seed: 0, .test, position: 0).index(below: 1 << 32 + 1, 0)
    }
  }

  @Test func normalsHaveTheMomentsOfAStandardNormal() {
    let count = 400_000
    var (first, second, third, fourth, pairs) = (0.0, 0.0, 0.0, 0.0, 0.0)
    var previous = 0.0
    for draw in 0..<count {
      let x = stream.normal(draw)
      first += x
      second += x * x
      third += x * x * x
      fourth += x * x * x * x
      pairs += x * previous
      previous = x
    }
    let n = Double(count)
    // Four standard deviations of each estimate: sqrt of 1, 2, 15, 96 and 1 over n.
    #expect(abs(first / n) < 4 * (1 / n).squareRoot())
    #expect(abs(second / n - 1) < 4 * (2 / n).squareRoot())
    #expect(abs(third / n) < 4 * (15 / n).squareRoot())
    #expect(abs(fourth / n - 3) < 4 * (96 / n).squareRoot())
    #expect(abs(pairs / n) < 4 * (1 / n).squareRoot(), "neighbours are correlated")
  }

  @Test(arguments: Array(0...9) + [63, 64, 65, 1001])
  func fillNormalsWritesTheRoundedNormalsAndNothingElse(count: Int) {
    var values = [Float](repeating: .infinity, count: count + 4)
    values.withUnsafeMutableBufferPointer { values in
      if let start = values.baseAddress { stream.fillNormals(start, count: count) }
    }
    for draw in 0..<count { #expect(values[draw] == Float(stream.normal(draw))) }
    #expect(values[count...].allSatisfy { $0 == .infinity })
  }

  @Test func everyPartOfTheStreamsIdentityChangesItsBits() {
    let purposes: [RandomPurpose] = [
      .initialization, .order, .augmentation, .labelDropout, .sigma, .noise, .dropout,
      .samplerNoise, .samplerChurn, .samplerLabel, .shapes, .features, .timestep, .latent,
      .test,
    ]
    var streams = purposes.map { RandomStream(seed: 5, $0, substream: 3, position: 9) }
    streams += [0, 1, 2, 4, 1 << 16, 1 << 24 - 1].map {
      RandomStream(seed: 5, .test, substream: $0, position: 9)
    }
    streams += [4, 6, 1 << 32 | 5, 1 << 63 | 5].map {
      RandomStream(seed: $0, .test, substream: 3, position: 9)
    }
    streams += [8, 10, 1 << 32 | 9, 1 << 63 | 9].map {
      RandomStream(seed: 5, .test, substream: 3, position: $0)
    }
    var blocks = Set<Philox.Block>()
    for stream in streams { for index in 0..<4 { blocks.insert(stream.block(index)) } }
    #expect(blocks.count == 4 * streams.count)
  }

  @Test func aSubstreamThatWouldReachIntoThePurposeTraps() async {
    await #expect(processExitsWith: .failure) {
      _ = RandomStream(seed: 0, .test, substream: 1 << 24, position: 0)
    }
  }

  /// What Tests/Reference/philox.py prints: a second implementation, in another language. These bits are
  /// part of every run and never change.
  @Test func bitsAreThoseOfTheIndependentImplementation() {
    let stream = RandomStream(
      seed: 0x0123_4567_89AB_CDEF, .sigma, substream: 77, position: 0x1_0000_0005)
    let words: [UInt32] = [
      0x13B7_AD8E, 0x5C36_AE56, 0x0CCB_89EC, 0x3C8E_B444, 0x98D6_65B2, 0x29BF_058D,
    ]
    let normals: [UInt64] = [
      0xBFF7_2165_A9C3_1CC4, 0x3FFB_E299_3D62_87DF, 0x3FCA_7162_2E49_A8C6, 0x4003_836C_49A8_088B,
      0x3FE0_E1F0_9B3E_ABA4, 0x3FEB_C5E5_BF49_DD23,
    ]
    let sigmas: [UInt64] = [
      0x3FAB_3573_AB8E_DB45, 0x4003_8210_6471_C24A, 0x3FD8_B316_2C60_8BC9, 0x4016_7EC2_9581_8E4F,
      0x3FE2_2727_1D39_A827, 0x3FEB_4F29_C7F2_5EFA,
    ]
    for draw in 0..<6 {
      #expect(stream.bits(draw) == words[draw])
      #expect(stream.normal(draw).bitPattern == normals[draw])
      let sigma = PortableMath.exp(-1.2 + 1.2 * stream.normal(draw))
      #expect(sigma.bitPattern == sigmas[draw])
    }
    let all = (0..<1 << 20).reduce(UInt64(0)) { $0 ^ stream.normal($1).bitPattern }
    #expect(all == 0x8018_CA17_1B70_CF90)
  }
}
