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
  /// What it was asked for, of `byteCount`.
  fileprivate let asked: Int
  /// Bytes of the block that this tensor or one before may have written, in whole pages.
  fileprivate let written: Int

  fileprivate init(
    bytes: UnsafeMutableRawPointer, byteCount: Int, asked: Int, written: Int, pool: StoragePool
  ) {
    (self.bytes, self.byteCount, self.pool) = (bytes, byteCount, pool)
    (self.asked, self.written) = (asked, written)
  }

  deinit { pool.recycle(self) }
}

/// Keeps freed blocks by size and hands them out again: a training step has the same sizes each time,
/// so after the first step nothing is allocated.
public final class StoragePool: Sendable {
  static let alignment = 64
  private static let hugePage = 2 << 20

  private struct State: ~Copyable {
    var free: [Int: [FreeBlock]] = [:]  // by block size
    var liveBytes = 0
    var askedBytes = 0
    var heldBytes = 0
    var peakBytes = 0
    var writtenBytes = 0
    var peakWrittenBytes = 0
  }
  private struct FreeBlock {
    let address: UInt
    let written: Int
  }
  private let state = Mutex(State())
  private let rehearsal: MetaMemory?

  public init() { rehearsal = nil }

  /// A pool whose large blocks lie over one another: nothing may be computed in them.
  init(meta memory: MetaMemory) { rehearsal = memory }

  deinit { trim() }

  /// A block of at least `byteCount` bytes with undefined contents.
  public func allocate(byteCount: Int) -> Storage {
    let size = StoragePool.blockSize(byteCount)
    let pages = StoragePool.inPages(byteCount, of: size)
    let recycled = state.withLock { state -> FreeBlock? in
      state.liveBytes += size
      state.askedBytes += byteCount
      let block = state.free[size]?.popLast()
      if block == nil { state.heldBytes += size }
      state.peakBytes = max(state.peakBytes, state.heldBytes)
      state.writtenBytes += max(pages - (block?.written ?? 0), 0)
      state.peakWrittenBytes = max(state.peakWrittenBytes, state.writtenBytes)
      return block
    }
    let bytes =
      recycled.flatMap { UnsafeMutableRawPointer(bitPattern: $0.address) }
      ?? rehearsal?.block(of: size) ?? StoragePool.block(of: size)
    mark(bytes, size, usable: byteCount)
    return Storage(
      bytes: bytes, byteCount: size, asked: byteCount,
      written: max(pages, recycled?.written ?? 0), pool: self)
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
  /// Bytes that tensors in use were asked for, without what blocks have beyond.
  public var askedBytes: Int { state.withLock { $0.askedBytes } }
  /// Most bytes ever held, in use or waiting to be used again.
  public var peakBytes: Int { state.withLock { $0.peakBytes } }
  /// Most memory ever taken from the system: of each block held, as many pages as the largest tensor in it
  /// had. What lies beyond is never touched.
  public var peakWrittenBytes: Int { state.withLock { $0.peakWrittenBytes } }

  /// Gives every unused block back to the system.
  public func trim() {
    state.withLock { state in
      for (size, blocks) in state.free {
        for block in blocks {
          if rehearsal?.holds(size) != true {
            UnsafeMutableRawPointer(bitPattern: block.address)?.deallocate()
          }
          state.heldBytes -= size
          state.writtenBytes -= block.written
        }
      }
      state.free = [:]
    }
  }

  fileprivate func recycle(_ storage: Storage) {
    let size = storage.byteCount
    mark(storage.bytes, size, usable: 0)
    state.withLock { state in
      state.liveBytes -= size
      state.askedBytes -= storage.asked
      state.free[size, default: []].append(
        FreeBlock(address: UInt(bitPattern: storage.bytes), written: storage.written))
    }
  }

  /// Tells a sanitizer what of a block may be used. Blocks that lie over one another are left alone: what one
  /// gives back, another still has.
  private func mark(_ bytes: UnsafeMutableRawPointer, _ size: Int, usable: Int) {
    if rehearsal?.holds(size) != true { dk_mark_usable(bytes, Int64(size), Int64(usable)) }
  }

  /// Whole pages, huge ones where the block has such.
  private static func inPages(_ byteCount: Int, of size: Int) -> Int {
    let page = size >= 2 * hugePage ? hugePage : 4096
    return min((byteCount + page - 1) / page * page, size)
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
