import TensorCore
import Testing

@Suite struct PhiloxTests {
  struct KnownAnswer: Sendable {
    let counter: Philox.Block
    let key: SIMD2<UInt32>
    let block: Philox.Block
  }

  /// The vectors published with the authors' own library (Random123, philox 4x32, 10 rounds): all
  /// zeros, all ones, and the digits of pi.
  static let published = [
    KnownAnswer(
      counter: Philox.Block(repeating: 0), key: SIMD2(repeating: 0),
      block: Philox.Block(0x6627_E8D5, 0xE169_C58D, 0xBC57_AC4C, 0x9B00_DBD8)),
    KnownAnswer(
      counter: Philox.Block(repeating: .max), key: SIMD2(repeating: .max),
      block: Philox.Block(0x408F_276D, 0x41C8_3B0E, 0xA20B_C7C6, 0x6D54_51FD)),
    KnownAnswer(
      counter: Philox.Block(0x243F_6A88, 0x85A3_08D3, 0x1319_8A2E, 0x0370_7344),
      key: SIMD2(0xA409_3822, 0x299F_31D0),
      block: Philox.Block(0xD16C_FE09, 0x94FD_CCEB, 0x5001_E420, 0x2412_6EA1)),
  ]

  @Test(arguments: published) func knownAnswers(_ vector: KnownAnswer) {
    #expect(Philox.block(counter: vector.counter, key: vector.key) == vector.block)
  }

  @Test func theCounterIsLaidOutAsDocumented() {
    let stream = RandomStream(
      seed: 0x0123_4567_89AB_CDEF, .noise, substream: 0x00AB_CDEF, position: 0xFEDC_BA98_7654_3210)
    let counter = Philox.Block(7, 0x06AB_CDEF, 0x7654_3210, 0xFEDC_BA98)
    let expected = Philox.block(counter: counter, key: SIMD2(0x89AB_CDEF, 0x0123_4567))
    #expect(stream.counterWord == 0x06AB_CDEF)
    #expect(stream.block(7) == expected)
    for word in 0..<4 { #expect(stream.bits(28 + word) == expected[word]) }
  }
}
