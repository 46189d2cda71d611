import TensorCore

/// NumPy's legacy `RandomState(seed)`, number by number, so that metrics shuffle and draw as their
/// peers do. Nothing else in the program draws from it.
///
/// Source: Matsumoto and Nishimura, "Mersenne Twister" (1998), MT19937 with its 2002 seeding;
/// NumPy's documentation guarantees that this stream stays as it is (NEP 19).
package struct NumPyRandom: Sendable {
  private static let length = 624
  private static let shift = 397

  private var key: [UInt32]
  private var position = NumPyRandom.length

  /// `RandomState(seed)`.
  package init(seed: UInt32) {
    key = [UInt32](repeating: seed, count: NumPyRandom.length)
    for index in 1..<NumPyRandom.length {
      let previous = key[index - 1]
      key[index] = 1_812_433_253 &* (previous ^ (previous >> 30)) &+ UInt32(index)
    }
  }

  /// The next 32 bits.
  package mutating func next() -> UInt32 {
    if position == NumPyRandom.length { twist() }
    var word = key[position]
    position += 1
    word ^= word >> 11
    word ^= (word << 7) & 0x9D2C_5680
    word ^= (word << 15) & 0xEFC6_0000
    return word ^ (word >> 18)
  }

  /// A number in `0...largest`: 32 bits cut to as many as `largest` has, drawn again while above
  /// it.
  package mutating func next(upTo largest: UInt32) -> UInt32 {
    guard largest > 0 else { return 0 }
    let mask = UInt32.max >> largest.leadingZeroBitCount
    while true {
      let value = next() & mask
      if value <= largest { return value }
    }
  }

  /// `shuffle(values)`: Fisher-Yates from the last place down.
  package mutating func shuffle<Element>(_ values: inout [Element]) {
    invariant(values.count <= Int(UInt32.max), "NumPyRandom.shuffle: \(values.count) values")
    for place in stride(from: values.count - 1, to: 0, by: -1) {
      values.swapAt(place, Int(next(upTo: UInt32(place))))
    }
  }

  /// `permutation(count)`.
  package mutating func permutation(_ count: Int) -> [Int] {
    var values = Array(0..<count)
    shuffle(&values)
    return values
  }

  /// `choice(count, size, replace=False)`: the beginning of a permutation.
  package mutating func choice(_ count: Int, size: Int) -> [Int] {
    invariant(
      size >= 0 && size <= count, "NumPyRandom.choice: \(size) of \(count) without replacement")
    return Array(permutation(count).prefix(size))
  }

  private mutating func twist() {
    let (n, m) = (NumPyRandom.length, NumPyRandom.shift)
    for index in 0..<n {
      let joined = (key[index] & 0x8000_0000) | (key[(index + 1) % n] & 0x7FFF_FFFF)
      key[index] = key[(index + m) % n] ^ (joined >> 1) ^ (joined & 1 == 0 ? 0 : 0x9908_B0DF)
    }
    position = 0
  }
}
