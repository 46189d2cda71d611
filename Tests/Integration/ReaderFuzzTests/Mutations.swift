import Foundation

/// Damaged copies of a file, the same in every run.
struct Mutations {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  /// SplitMix64 (Steele et al. 2014).
  private mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }

  private mutating func below(_ bound: Int) -> Int { Int(next() % UInt64(max(bound, 1))) }

  /// A copy with one to four changes: flipped bits, bytes of extreme values, numbers of 2 to 8 bytes
  /// overwritten, pieces left out, repeated, moved or cut off.
  mutating func changed(_ original: Data) -> Data {
    var bytes = [UInt8](original)
    for _ in 0...below(4) where !bytes.isEmpty {
      // Headers are where formats break, so half of the changes are near one end.
      let span = [bytes.count, bytes.count, 64, 256][below(4)]
      let fromEnd = below(4) == 0
      let near = below(min(span, bytes.count))
      let place = fromEnd ? bytes.count - 1 - near : near
      switch below(8) {
      case 0: bytes[place] ^= 1 << UInt8(below(8))
      case 1: bytes[place] = [0, 1, 0x7F, 0x80, 0xFF][below(5)]
      case 2: bytes[place] = UInt8(truncatingIfNeeded: next())
      case 3: overwrite(&bytes, at: place)
      case 4: bytes.removeSubrange(place..<min(place + 1 + below(32), bytes.count))
      case 5:
        let piece = Array(bytes[place..<min(place + 1 + below(64), bytes.count)])
        bytes.insert(contentsOf: piece, at: place)
      case 6:
        let from = below(bytes.count)
        let count = min(1 + below(64), bytes.count - max(from, place))
        bytes.replaceSubrange(place..<place + count, with: Array(bytes[from..<from + count]))
      default: bytes.removeLast(below(min(span, bytes.count) + 1))
      }
    }
    return Data(bytes)
  }

  /// A number that a reader may take for a size, in either order of bytes.
  private mutating func overwrite(_ bytes: inout [UInt8], at place: Int) {
    let extremes: [UInt64] = [
      0, 1, 0x7FFF, 0xFFFF, 0x7FFF_FFFF, 0x8000_0000, 0xFFFF_FFFF, 1 << 40, UInt64.max >> 1,
      UInt64.max,
    ]
    let (value, isBig) = (extremes[below(extremes.count)], below(2) == 0)
    let count = min([2, 4, 8][below(3)], bytes.count - place)
    for index in 0..<count {
      bytes[place + index] = UInt8(
        truncatingIfNeeded: value >> UInt64(8 * (isBig ? count - 1 - index : index)))
    }
  }
}
