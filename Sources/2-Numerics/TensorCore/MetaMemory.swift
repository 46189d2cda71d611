import Foundation
import Synchronization

/// Addresses for the tensors of an context that computes nothing: as many as the largest block has, for
/// all large blocks at once. Pages that nobody writes take no memory.
final class MetaMemory: Sendable {
  /// Smaller blocks are real ones, so that what is written outside of operators, such as the seed of a reverse
  /// pass, can be read again.
  static let leastBytes = 1 << 16

  private struct Region {
    let address: UInt
    let size: Int
  }
  private let regions = Mutex<[Region]>([])

  deinit {
    regions.withLock { regions in
      for region in regions {
        munmap(UnsafeMutableRawPointer(bitPattern: region.address), region.size)
      }
    }
  }

  /// Whether blocks of this size lie here.
  func holds(_ size: Int) -> Bool { size >= Self.leastBytes }

  /// Nil for a block that is to be a real one.
  func block(of size: Int) -> UnsafeMutableRawPointer? {
    guard holds(size) else { return nil }
    let address = regions.withLock { regions -> UInt in
      if let last = regions.last, last.size >= size { return last.address }
      let bytes = mmap(
        nil, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0)
      guard let bytes, bytes != MAP_FAILED else {
        fatalError("MetaMemory: no address space for \(size) bytes (ulimit -v)")
      }
      regions.append(Region(address: UInt(bitPattern: bytes), size: size))
      return UInt(bitPattern: bytes)
    }
    return UnsafeMutableRawPointer(bitPattern: address)
  }
}
