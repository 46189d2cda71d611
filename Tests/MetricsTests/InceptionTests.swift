import FileFormats
import Foundation
import Images
import InceptionSupport
import Metrics
import NumericsSupport
import Scores
import SystemSupport
import TensorCore
import Testing

/// FID-Inception with random weights against torch-fidelity's network with the same ones.
@Suite(.serialized) struct InceptionTests {
  static let kinds: [FeatureKind] = [
    .pool64, .pool192, .mixed768, .pool2048, .spatial2023, .logits,
  ]

  /// Every number of the weights counts: without equal weights no kind can be equal.
  @Test func theWeightsAreThoseOfTheGolden() throws {
    let sums = try RandomInception.golden().floats("weights.sums")
    let tensors = InceptionV3.tensors
    #expect(tensors.count == 472 && sums.count == 472)
    #expect(tensors.reduce(0) { $0 + $1.shape.reduce(1, *) } == 23_885_392)
    for i in [0, 1, 4, 5, 100, 250, 471] {
      let values = RandomInception.values(i, tensors[i].name, tensors[i].shape)
      let sum = values.reduce(0) { $0 + Double($1) }
      #expect(abs(sum - Double(sums[i])) < 1e-5 * max(1, abs(sum)), "\(tensors[i].name)")
    }
  }

  @Test(arguments: ResizeProtocol.allCases)
  func featuresAreThoseOfThePeer(_ resize: ResizeProtocol) throws {
    let context = try! ComputeContext(threadCount: 2)
    let network = try InceptionV3(
      weights: RandomInception.file.get(), resize: resize, on: context)
    let found = network.features(
      of: RandomInception.images, kinds: Set(Self.kinds), on: context)
    try check(found, resize, images: [0, 1, 2])
  }

  /// The instruction sets that are slower, on one image.
  @Test(arguments: Setup.levels)
  func everyInstructionSet(_ level: KernelTable.Level) throws {
    let context = Setup(level, threads: 2).context
    let network = try InceptionV3(weights: RandomInception.file.get(), on: context)
    let found = network.features(
      of: [RandomInception.images[0]], kinds: Set(Self.kinds), on: context)
    try check(found, .tf1, images: [0])
  }

  private func check(
    _ found: [FeatureKind: FeatureMatrix], _ resize: ResizeProtocol, images: [Int]
  ) throws {
    let golden = try RandomInception.golden()
    var compared = 0
    for (row, image) in images.enumerated() {
      for kind in Self.kinds {
        let name = "\(image).\(resize.rawValue).\(kind.rawValue)"
        guard golden[name] != nil else { continue }
        let expected = try golden.floats(name)
        let matrix = try #require(found[kind])
        let step = kind == .spatial2023 ? 5 : 1
        let values = stride(from: 0, to: matrix.width, by: step).map {
          matrix.values[row * matrix.width + $0]
        }
        #expect(relativeError(values, to: expected) < 1e-4, "\(name)")
        compared += 1
      }
    }
    #expect(compared >= 6)
  }

  /// An image's features are the same bits alone, among others, on any number of threads.
  @Test func rowsDependOnTheirImagesAlone() throws {
    let context = ComputeContext()
    let network = try InceptionV3(weights: RandomInception.file.get(), on: context)
    let images = RandomInception.images
    let kinds: Set<FeatureKind> = [.pool64, .pool2048, .logits, .spatial2023]
    let many = images + images + images + [images[1]]  // more than are computed at once
    let together = network.features(of: many, kinds: kinds, on: try! ComputeContext(threadCount: 3))
    for (place, image) in [(1, images[1]), (8, images[2]), (9, images[1])] {
      let alone = network.features(of: [image], kinds: kinds, on: context)
      for kind in kinds {
        let (one, all) = (try #require(alone[kind]), try #require(together[kind]))
        #expect(all.count == 10 && one.count == 1)
        let row = all.values[place * all.width..<(place + 1) * all.width]
        #expect(Array(row).bits == one.values.bits, "\(kind) of image \(place)")
      }
    }
  }

  @Test func featuresAreTheSameAloneAndTogether() throws {
    let context = try! ComputeContext(threadCount: 2)
    let network = try InceptionV3(weights: RandomInception.file.get(), on: context)
    let images = [RandomInception.images[0]]
    let together = network.features(of: images, kinds: Set(Self.kinds), on: context)
    for kind in Self.kinds {
      let alone = network.features(of: images, kinds: [kind], on: context)
      #expect(alone.keys.map { $0 } == [kind] && alone[kind] == together[kind], "\(kind)")
    }
  }

  /// More images take longer, not more memory.
  @Test func memoryIsBounded() throws {
    let context = try! ComputeContext(threadCount: 2)
    let network = try InceptionV3(weights: RandomInception.file.get(), on: context)
    let images = Array(repeating: RandomInception.images[0], count: 26)
    _ = network.features(of: Array(images.prefix(8)), kinds: [.pool2048], on: context)
    let peak = context.memory.peakBytes
    _ = network.features(of: images, kinds: [.pool2048], on: context)
    // The last two images are a batch with block sizes of its own.
    #expect(context.memory.peakBytes - peak < peak / 8)
    #expect(peak < 600 << 20, "\(peak)")
  }

  @Test func whatItSaysOfItself() throws {
    let context = ComputeContext()
    let url = try RandomInception.file.get()
    let network = try InceptionV3(weights: url, resize: .clean, on: context)
    #expect(network.name == "inception" && network.protocolName == "clean")
    #expect(network.digest == (try Checksum.ofFile(url.path).digest))
    let empty = network.features(of: [], kinds: [.pool2048], on: context)
    #expect(empty == [.pool2048: FeatureMatrix(width: 2048)])
  }
}
