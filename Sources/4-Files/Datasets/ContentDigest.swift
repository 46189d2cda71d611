import Foundation
import SystemSupport

/// How a data set's digest was made.
package enum DigestAlgorithm: Sendable {
  /// XXH3 with 128 bits. The digest has the prefix `xxh3:`.
  case xxh3
  /// The one of versions before 0.2. The digest has no prefix.
  case old

  /// What digests by XXH3 begin with.
  package static let prefix = "xxh3:"

  /// The algorithm that made a saved digest.
  ///
  /// - Parameter saved: nil where nothing was saved: a new digest is made by XXH3.
  package init(of saved: String?) {
    self = saved.map { $0.hasPrefix(Self.prefix) } ?? true ? .xxh3 : .old
  }
}

/// A 128-bit fingerprint of texts, numbers and bytes, to notice that data have changed. It is not
/// cryptographic.
///
/// A length follows each text, so that ("ab", "c") and ("a", "bc") differ.
struct ContentDigest: ~Copyable {
  private let algorithm: DigestAlgorithm
  private var checksum = Checksum()
  private var old = OldContentDigest()

  init(_ algorithm: DigestAlgorithm = .xxh3) { self.algorithm = algorithm }

  mutating func add(_ bytes: UnsafeRawBufferPointer) {
    switch algorithm {
    case .xxh3:
      checksum.update(bytes)
      add(bytes.count)
    case .old: old.add(bytes)
    }
  }

  mutating func add(_ data: Data) { data.withUnsafeBytes { add($0) } }

  mutating func add(_ text: String) {
    var text = text
    text.withUTF8 { add(UnsafeRawBufferPointer($0)) }
  }

  mutating func add(_ number: Int) {
    switch algorithm {
    case .xxh3:
      withUnsafeBytes(of: UInt64(number).littleEndian) { checksum.update($0) }
    case .old: old.add(number)
    }
  }

  /// `xxh3:` and 32 hexadecimal digits; of the old algorithm only the digits.
  var text: String {
    switch algorithm {
    case .xxh3: DigestAlgorithm.prefix + checksum.digest
    case .old: old.text
    }
  }
}
