import Foundation
import Synchronization

/// Addresses for the tensors of a context that computes nothing. All large blocks share one region
/// of address space, as large as the largest of them. Pages that nobody writes take no memory.
final class MetaMemory: Sendable {
  /// Smaller blocks get real memory, so that values written outside of operators, such as the seed
  /// of a reverse pass, can be read again.
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

  /// Whether a block of this size lies in the shared region.
  func contains(_ size: Int) -> Bool { size >= Self.leastBytes }

  /// An address in the shared region; nil for a block that needs real memory.
  func block(of size: Int) -> UnsafeMutableRawPointer? {
    guard contains(size) else { return nil }
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
