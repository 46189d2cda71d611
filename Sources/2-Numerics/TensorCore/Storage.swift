import CKernels
import Foundation
import Synchronization
import SystemSupport

/// A 64-byte-aligned block of memory that one tensor, or several views, refer to.
///
/// The address stays the same for the life of the object. A request in flight (a message or a save)
/// retains its storage until it completes. On release the block returns to its pool.
///
/// `@unchecked Sendable`: the bytes are shared, mutable memory. Operators write only into storage
/// that they have just made, or that their documentation says they update, and the threads of one
/// operator write disjoint ranges.
public final class Storage: @unchecked Sendable {
  /// Size of the block in bytes: at least what was requested.
  public let byteCount: Int
  /// Address of the block.
  public let bytes: UnsafeMutableRawPointer
  private let pool: StoragePool
  /// Bytes that were requested, at most `byteCount`.
  fileprivate let requested: Int
  /// Bytes of the block that this tensor or an earlier one may have written, in whole pages.
  fileprivate let written: Int

  fileprivate init(
    bytes: UnsafeMutableRawPointer, byteCount: Int, requested: Int, written: Int, pool: StoragePool
  ) {
    (self.bytes, self.byteCount, self.pool) = (bytes, byteCount, pool)
    (self.requested, self.written) = (requested, written)
  }

  deinit { pool.recycle(self) }
}

/// A caching allocator: it keeps freed blocks by size and hands them out again. Training steps
/// request the same sizes each time, so nothing is allocated after the first step.
public final class StoragePool: Sendable {
  static let alignment = 64
  private static let hugePage = 2 << 20

  private struct State: ~Copyable {
    var free: [Int: [FreeBlock]] = [:]  // by block size
    var liveBytes = 0
    var requestedBytes = 0
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
  /// Set for a dry run; its large blocks overlap each other.
  private let metaMemory: MetaMemory?

  /// Creates an empty pool.
  public init() { metaMemory = nil }

  /// Creates a pool for dry runs, whose large blocks overlap each other: nothing may be computed in
  /// them.
  init(meta memory: MetaMemory) { metaMemory = memory }

  deinit { trim() }

  /// A block of at least `byteCount` bytes, with undefined contents.
  public func allocate(byteCount: Int) -> Storage {
    let size = StoragePool.blockSize(byteCount)
    let pages = StoragePool.inPages(byteCount, of: size)
    let recycled = state.withLock { state -> FreeBlock? in
      state.liveBytes += size
      state.requestedBytes += byteCount
      let block = state.free[size]?.popLast()
      if block == nil { state.heldBytes += size }
      state.peakBytes = max(state.peakBytes, state.heldBytes)
      state.writtenBytes += max(pages - (block?.written ?? 0), 0)
      state.peakWrittenBytes = max(state.peakWrittenBytes, state.writtenBytes)
      return block
    }
    let bytes =
      recycled.flatMap { UnsafeMutableRawPointer(bitPattern: $0.address) }
      ?? metaMemory?.block(of: size) ?? StoragePool.block(of: size)
    mark(bytes, size, usable: byteCount)
    return Storage(
      bytes: bytes, byteCount: size, requested: byteCount,
      written: max(pages, recycled?.written ?? 0), pool: self)
  }

  /// A new block. A large one begins at a huge page and asks the system for huge pages (`madvise`),
  /// which means fewer page faults at the first write and fewer address translations later. The
  /// thread that first writes to a page decides in which memory it lies.
  private static func block(of size: Int) -> UnsafeMutableRawPointer {
    let isLarge = size >= 2 * hugePage
    var bytes: UnsafeMutableRawPointer?
    guard posix_memalign(&bytes, isLarge ? hugePage : alignment, size) == 0, let bytes else {
      MemoryLimit.end(wanting: size)
    }
    if isLarge { madvise(bytes, size, MADV_HUGEPAGE) }
    return bytes
  }

  /// Bytes of all blocks that tensors use now.
  public var liveBytes: Int { state.withLock { $0.liveBytes } }
  /// Bytes that the tensors in use requested, without the rounding of blocks.
  public var requestedBytes: Int { state.withLock { $0.requestedBytes } }
  /// The largest number of bytes ever held, in use or free for reuse.
  public var peakBytes: Int { state.withLock { $0.peakBytes } }
  /// The most memory ever taken from the system: for each block held, as many pages as the largest
  /// tensor in it needed. Pages beyond that are never touched and take no memory.
  public var peakWrittenBytes: Int { state.withLock { $0.peakWrittenBytes } }

  /// Returns every unused block to the system.
  public func trim() {
    state.withLock { state in
      for (size, blocks) in state.free {
        for block in blocks {
          if metaMemory?.contains(size) != true {
            free(UnsafeMutableRawPointer(bitPattern: block.address))
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
      state.requestedBytes -= storage.requested
      state.free[size, default: []].append(
        FreeBlock(address: UInt(bitPattern: storage.bytes), written: storage.written))
    }
  }

  /// Tells the address sanitizer which part of a block may be used. Overlapping blocks of a dry run
  /// are left out: a part that one tensor gives back is still used by another.
  private func mark(_ bytes: UnsafeMutableRawPointer, _ size: Int, usable: Int) {
    if metaMemory?.contains(size) != true { dk_mark_usable(bytes, Int64(size), Int64(usable)) }
  }

  /// A size in whole pages, which are huge pages in large blocks.
  private static func inPages(_ byteCount: Int, of size: Int) -> Int {
    let page = size >= 2 * hugePage ? hugePage : 4096
    return min((byteCount + page - 1) / page * page, size)
  }

  /// Rounds up to an eighth of a power of two, so that nearly equal sizes share blocks and at most
  /// an eighth is wasted. Below 512 bytes it rounds up to the alignment.
  static func blockSize(_ byteCount: Int) -> Int {
    let wanted = max(byteCount, alignment)
    let power = 1 << (Int.bitWidth - 1 - (wanted - 1).leadingZeroBitCount)
    let step = max(power / 8, alignment)
    return (wanted + step - 1) / step * step
  }
}
