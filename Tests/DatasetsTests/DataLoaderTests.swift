import Datasets
import FileFormats
import Foundation
import Images
import SystemSupport
import Testing

@Suite struct DataLoaderTests {
  let data = ShapesDataset(resolution: 8, count: 25)
  let pipe = AugmentationPipe(probability: 0.5)

  private func loader(
    start: UInt64 = 0, share: Range<Int> = 0..<6, seed: UInt64 = 7, depth: Int = 2
  ) throws -> DataLoader {
    try DataLoader(
      ImageSamples(data, augmentation: pipe), seed: seed, start: start, globalBatch: 6,
      share: share, depth: depth)
  }

  private func expectEqual(_ a: Batch, _ b: Batch) {
    #expect(a.positions == b.positions && a.labels == b.labels)
    #expect(a.images == b.images && a.augmentLabels == b.augmentLabels)
  }

  @Test func valuesAndShapes() throws {
    let plain = try DataLoader(
      ImageSamples(data), seed: 7, start: 0, globalBatch: 4, share: 0..<4, depth: 1)
    let order = DataOrder(seed: 7, count: 25)
    let batch = try plain.next()
    #expect(batch.positions == [0, 1, 2, 3] && batch.augmentLabels.isEmpty)
    for place in 0..<4 {
      let (image, label) = try data.image(order.index(at: UInt64(place)))
      #expect(batch.labels[place] == label)
      let values = batch.images[place * 192..<(place + 1) * 192]
      #expect(zip(values, image.pixels).allSatisfy { $0 == Float($1) / 127.5 - 1 })
    }
    let augmented = try loader().next()
    #expect(augmented.images.count == 6 * 192 && augmented.augmentLabels.count == 6 * 9)
  }

  /// A sample alone has the values that it has in its place of a batch's buffer.
  @Test func aBatchHoldsItsSamples() throws {
    let samples = ImageSamples(data, augmentation: pipe)
    let batch = try BatchSource(samples, seed: 3).batch(at: 20..<30)
    let order = DataOrder(seed: 3, count: 25)
    for (place, position) in (UInt64(20)..<30).enumerated() {
      let sample = try samples.sample(order.index(at: position), seed: 3, position: position)
      #expect(batch.labels[place] == sample.label)
      #expect(Array(batch.images[place * 192..<(place + 1) * 192]) == sample.values)
      #expect(Array(batch.augmentLabels[place * 9..<(place + 1) * 9]) == sample.augmentLabels)
    }
  }

  @Test func ranksTogetherSeeWhatOneSees() throws {
    let whole = try loader()
    let parts = try [0..<2, 2..<3, 3..<6].map { try loader(share: $0) }
    for _ in 0..<6 {
      let all = try whole.next()
      let batches = try parts.map { try $0.next() }
      #expect(batches.flatMap(\.positions) == all.positions)
      #expect(batches.flatMap(\.labels) == all.labels)
      #expect(batches.flatMap(\.images) == all.images)
      #expect(batches.flatMap(\.augmentLabels) == all.augmentLabels)
    }
  }

  @Test func resumesFromImagesSeenInTheMiddleOfAnEpoch() throws {
    let whole = try loader()
    for _ in 0..<3 { _ = try whole.next() }
    let resumed = try loader(start: 18, depth: 5)
    for _ in 0..<4 { expectEqual(try whole.next(), try resumed.next()) }
  }

  @Test func seedsDiffer() throws {
    #expect(try loader().next().images != loader(seed: 8).next().images)
  }

  @Test func emptyShareGivesEmptyBatches() throws {
    let batch = try loader(share: 3..<3).next()
    #expect(batch.positions.isEmpty && batch.images.isEmpty)
  }

  @Test func preparesNoMoreThanItsDepth() throws {
    let counting = CountingDataset()
    let loader = try DataLoader(
      ImageSamples(counting), seed: 0, start: 0, globalBatch: 2, share: 0..<2, depth: 3)
    _ = try loader.next()
    Thread.sleep(forTimeInterval: 0.2)
    // One taken, three ready, one in the thread's hand.
    #expect(counting.reads.value <= 10)
    loader.stop()
    let after = counting.reads.value
    Thread.sleep(forTimeInterval: 0.05)
    #expect(counting.reads.value == after)
    loader.stop()
  }

  @Test func threadEndsWithItsLoader() throws {
    let counting = CountingDataset()
    do {
      let loader = try DataLoader(
        ImageSamples(counting), seed: 0, start: 0, globalBatch: 2, share: 0..<2, depth: 1)
      _ = try loader.next()
    }
    let after = counting.reads.value
    Thread.sleep(forTimeInterval: 0.05)
    #expect(counting.reads.value == after)
  }

  @Test func errorsComeInOrderAndStay() throws {
    let failing = CountingDataset(failingRead: 5)
    let loader = try DataLoader(
      ImageSamples(failing), seed: 0, start: 0, globalBatch: 2, share: 0..<2, depth: 4)
    Thread.sleep(forTimeInterval: 0.05)
    #expect(try loader.next().positions == [0, 1])
    #expect(try loader.next().positions == [2, 3])
    for _ in 0..<2 {
      #expect(throws: FileError.notFound(path: "read 5")) { try loader.next() }
    }
  }
}

/// Counts how often it is read, and fails at one read.
private struct CountingDataset: ImageDataset {
  final class Counter: @unchecked Sendable {
    private let lock = NSLock()
    private var count = 0
    var value: Int { lock.withLock { count } }
    func add() -> Int {
      lock.withLock {
        count += 1
        return count
      }
    }
  }

  let reads = Counter()
  var failingRead = Int.max
  let count = 100
  let resolution = 1
  let classNames = ["grey"]
  let contentDigest = "none"

  func read(
    _ index: Int, into pixels: UnsafeMutableBufferPointer<UInt8>
  ) throws -> Int {
    let number = reads.add()
    if number >= failingRead { throw FileError.notFound(path: "read \(number)") }
    pixels.update(repeating: UInt8(index))
    return 0
  }
}
