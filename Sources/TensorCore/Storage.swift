import CKernels
import Foundation
import Synchronization

/// A 64-byte-aligned block of memory that a tensor, or several views, refer to.
///
/// The address is stable for the storage's life, and a request in flight (a message, a save) retains
/// its storage until it completes. On release the block goes back to its pool.
///
/// `@unchecked Sendable`: the bytes are shared, mutable memory. Operators write only into storage they
/// have just made, or that their documentation says they update; threads of one operator write
/// disjoint ranges.
public final class Storage: @unchecked Sendable {
  public let byteCount: Int
  public let bytes: UnsafeMutableRawPointer
  private let pool: StoragePool

  fileprivate init(bytes: UnsafeMutableRawPointer, byteCount: Int, pool: StoragePool) {
    (self.bytes, self.byteCount, self.pool) = (bytes, byteCount, pool)
  }

  deinit { pool.recycle(bytes, size: byteCount) }
}

/// Keeps freed blocks by size and hands them out again: a training step has the same sizes each time,
/// so after the first step nothing is allocated.
public final class StoragePool: Sendable {
  static let alignment = 64
  private static let hugePage = 2 << 20

  private struct State: ~Copyable {
    var free: [Int: [UInt]] = [:]  // block size -> addresses
    var liveBytes = 0
    var heldBytes = 0
    var peakBytes = 0
  }
  private let state = Mutex(State())

  public init() {}

  deinit { trim() }

  /// A block of at least `byteCount` bytes with undefined contents.
  public func allocate(byteCount: Int) -> Storage {
    let size = StoragePool.blockSize(byteCount)
    let recycled = state.withLock { state -> UInt? in
      state.liveBytes += size
      let address = state.free[size]?.popLast()
      if address == nil { state.heldBytes += size }
      state.peakBytes = max(state.peakBytes, state.heldBytes)
      return address
    }
    let bytes =
      recycled.flatMap { UnsafeMutableRawPointer(bitPattern: $0) } ?? StoragePool.block(of: size)
    dk_mark_usable(bytes, Int64(size), Int64(byteCount))
    return Storage(bytes: bytes, byteCount: size, pool: self)
  }

  /// A new block. Large ones begin at a huge page and ask for such pages (`madvise`): fewer faults when
  /// they are first written, and fewer translations later. Whoever writes first, decides where they lie.
  private static func block(of size: Int) -> UnsafeMutableRawPointer {
    guard size >= 2 * hugePage else {
      return .allocate(byteCount: size, alignment: alignment)
    }
    let bytes = UnsafeMutableRawPointer.allocate(byteCount: size, alignment: hugePage)
    madvise(bytes, size, MADV_HUGEPAGE)
    return bytes
  }

  /// Bytes now in use by tensors.
  public var liveBytes: Int { state.withLock { $0.liveBytes } }
  /// Most bytes ever held, in use or waiting to be used again.
  public var peakBytes: Int { state.withLock { $0.peakBytes } }

  /// Gives every unused block back to the system.
  public func trim() {
    state.withLock { state in
      for (size, addresses) in state.free {
        for address in addresses {
          UnsafeMutableRawPointer(bitPattern: address)?.deallocate()
          state.heldBytes -= size
        }
      }
      state.free = [:]
    }
  }

  fileprivate func recycle(_ bytes: UnsafeMutableRawPointer, size: Int) {
    dk_mark_usable(bytes, Int64(size), 0)
    state.withLock { state in
      state.liveBytes -= size
      state.free[size, default: []].append(UInt(bitPattern: bytes))
    }
  }

  /// Rounds up to an eighth of a power of two, so that nearly equal sizes share blocks and at most an
  /// eighth is wasted; below 512 bytes to the alignment.
  static func blockSize(_ byteCount: Int) -> Int {
    let wanted = max(byteCount, alignment)
    let power = 1 << (Int.bitWidth - 1 - (wanted - 1).leadingZeroBitCount)
    let step = max(power / 8, alignment)
    return (wanted + step - 1) / step * step
  }
}
