import SystemSupport
import TensorCore

/// The fingerprint that versions before 0.2 made of data sets. It is computed only where a digest that such
/// a version saved has to be compared, so that its runs go on; everything new uses `ContentDigest`.
///
/// Each 16-byte block is mixed into the state by Philox, keyed by the bytes' place; the length follows
/// the bytes, so that ("ab", "c") and ("a", "bc") differ.
struct OldContentDigest {
  private var state = Philox.Block(repeating: 0)
  private var blocks: UInt64 = 0

  mutating func add(_ bytes: UnsafeRawBufferPointer) {
    let whole = bytes.count & ~15
    for offset in stride(from: 0, to: whole, by: 16) {
      mix(bytes.loadUnaligned(fromByteOffset: offset, as: Philox.Block.self))
    }
    var tail = Philox.Block(repeating: 0)
    withUnsafeMutableBytes(of: &tail) {
      $0.copyMemory(from: UnsafeRawBufferPointer(rebasing: bytes[whole...]))
    }
    mix(tail)
    add(bytes.count)
  }

  mutating func add(_ number: Int) {
    let word = UInt64(number)
    mix(Philox.Block(UInt32(truncatingIfNeeded: word), UInt32(word >> 32), 0, 0))
  }

  /// 32 hexadecimal digits.
  var text: String {
    (0..<4).map { Format.zeroPadded(hexadecimal: state[$0], 8) }.joined()
  }

  private mutating func mix(_ block: Philox.Block) {
    let key = SIMD2(UInt32(truncatingIfNeeded: blocks), UInt32(truncatingIfNeeded: blocks >> 32))
    state = Philox.block(counter: state ^ block, key: key)
    blocks += 1
  }
}
