import TensorCore
import Testing

@Suite struct StoragePoolTests {
  let pool = StoragePool()

  func address(_ storage: Storage) -> UInt { UInt(bitPattern: storage.bytes) }

  @Test func blocksAreAlignedAndWasteAtMostAnEighth() {
    var sizes = Array(0...1100)
    for power in 10...24 {
      for step in -2...2 { sizes += [1 << power + step, 3 << (power - 1) + step] }
    }
    for size in sizes {
      let storage = pool.allocate(byteCount: size)
      #expect(address(storage) % 64 == 0)
      #expect(storage.byteCount >= size)
      // Below 512 bytes the alignment is coarser than an eighth.
      #expect(storage.byteCount - size <= max(size / 8, size == 0 ? 64 : 63), "\(size) bytes")
    }
  }

  @Test func aFreedBlockIsHandedOutAgain() {
    var storage: Storage? = pool.allocate(byteCount: 10_000)
    let first = storage.map(address)
    let other = pool.allocate(byteCount: 10_000)
    #expect(address(other) != first)
    storage = nil
    storage = pool.allocate(byteCount: 10_200)  // rounds to the same block
    #expect(storage.map(address) == first)
    #expect(pool.peakBytes == other.byteCount * 2)
  }

  @Test func bytesAreCountedWhileTheyAreInUse() {
    #expect(pool.liveBytes == 0 && pool.peakBytes == 0)
    var storages = [1000, 2000, 4000].map { pool.allocate(byteCount: $0) }
    let all = storages.reduce(0) { $0 + $1.byteCount }
    #expect(pool.liveBytes == all && pool.peakBytes == all)
    let last = storages.removeLast().byteCount
    #expect(pool.liveBytes == all - last && pool.peakBytes == all)
    storages = []
    #expect(pool.liveBytes == 0 && pool.peakBytes == all)
  }

  @Test func trimGivesUnusedBlocksBackAndLeavesUsedOnesAlone() {
    let kept = pool.allocate(byteCount: 5000)
    kept.bytes.storeBytes(of: 0x5A5A_5A5A, as: UInt32.self)
    var freed: Storage? = pool.allocate(byteCount: 1 << 20)
    let peak = kept.byteCount + (freed?.byteCount ?? 0)
    #expect(pool.peakBytes == peak)
    freed = nil
    pool.trim()
    #expect(pool.liveBytes == kept.byteCount)
    #expect(kept.bytes.load(as: UInt32.self) == 0x5A5A_5A5A)
    // Had the trimmed bytes still been counted as held, the peak would rise now.
    freed = pool.allocate(byteCount: 1 << 19)
    #expect(pool.peakBytes == peak)
    #expect(pool.liveBytes == kept.byteCount + (freed?.byteCount ?? 0))
  }

  @Test func storageOutlivesTheLastOtherReferenceToItsPool() {
    var owner: StoragePool? = StoragePool()
    let storage = owner?.allocate(byteCount: 4096)
    owner = nil
    storage?.bytes.storeBytes(of: 17, as: Int.self)
    #expect(storage?.bytes.load(as: Int.self) == 17)
  }

  @Test func threadsNeverShareABlock() {
    let threads = try! ThreadPool(threadCount: 4)
    var clashes = [Int](repeating: 0, count: threads.count)
    clashes.withUnsafeMutableBufferPointer { clashes in
      let clashes = UnsafeMutableBufferPointer(rebasing: clashes[...])
      threads.run { part in
        for round in 0..<2000 {
          let storage = pool.allocate(byteCount: 64 * (1 + round % 5))
          storage.bytes.storeBytes(of: part, as: Int.self)
          let twin = pool.allocate(byteCount: 64 * (1 + round % 5))
          twin.bytes.storeBytes(of: -1, as: Int.self)
          if storage.bytes.load(as: Int.self) != part { clashes[part] += 1 }
        }
      }
    }
    #expect(clashes == [0, 0, 0, 0])
    #expect(pool.liveBytes == 0)
  }
}
