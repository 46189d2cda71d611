import Datasets
import Foundation
import RunData
import TensorCore
import Testing

@Suite("Latents as training data") struct LatentDatasetTests {
  /// As 12 values [row, column, channel].
  private func means(_ image: Int, flipped: Bool) -> [Float] {
    (0..<4).flatMap { pixel in
      (0..<3).map { LatentFolder.mean(image, $0 * 4 + pixel, flipped: flipped) }
    }
  }

  @Test(arguments: [false, true]) func whatIsStoredComesBack(bf16: Bool) throws {
    // A deviation of exp(-15) leaves the means.
    let folder = try LatentFolder(bf16: bf16, logVariance: -30)
    let dataset = try folder.open(scale: 0.5)
    #expect(dataset.count == 5 && dataset.shape == [2, 2, 3])
    #expect(dataset.classNames == ["x", "y", "z"])
    var flipped = 0
    for position in 0..<200 {
      let image = position % 5
      let sample = try dataset.sample(image, seed: 3, position: UInt64(position))
      #expect(sample.label == [0, 1, 2, 1, 0][image] && sample.augmentLabels.isEmpty)
      let isFlipped = sample.values[0] < 0
      if isFlipped { flipped += 1 }
      for (value, mean) in zip(sample.values, means(image, flipped: isFlipped)) {
        #expect(abs(value - mean / 2) < 1e-5)
      }
    }
    #expect((70...130).contains(flipped))
  }

  @Test func withoutMirroredImagesNothingIsFlipped() throws {
    let dataset = try LatentFolder(flips: false, logVariance: -30).open()
    for position in 0..<50 {
      #expect(try dataset.sample(1, seed: 0, position: UInt64(position)).values[0] > 0)
    }
  }

  @Test func drawsAreNormal() throws {
    // A deviation of 1/2, times 4.
    let folder = try LatentFolder(flips: false, logVariance: -1.386294361)
    let dataset = try folder.open(scale: 4)
    let mean = means(2, flipped: false).map { Double($0) }
    var (sum, squares, cubes) = (0.0, 0.0, 0.0)
    let draws = 2000
    for position in 0..<draws {
      let values = try dataset.sample(2, seed: 1, position: UInt64(position)).values
      for (value, mean) in zip(values, mean) {
        let off = (Double(value) - 4 * mean) / 2
        sum += off
        squares += off * off
        cubes += off * off * off
      }
    }
    let count = Double(draws * LatentFolder.elements)
    // Four standard errors of normal draws.
    #expect(abs(sum / count) < 4 / count.squareRoot())
    #expect(abs(squares / count - 1) < 4 * (2 / count).squareRoot())
    #expect(abs(cubes / count) < 4 * (15 / count).squareRoot())
  }

  @Test func aSampleIsAFunctionOfSeedAndPosition() throws {
    let folder = try LatentFolder()
    let dataset = try folder.open()
    let one = try dataset.sample(3, seed: 7, position: 1 << 40)
    #expect(try folder.open().sample(3, seed: 7, position: 1 << 40) == one)
    for (index, seed, position) in [(3, 7, 1 << 40 + 1), (3, 8, 1 << 40), (2, 7, 1 << 40)] {
      let other = try dataset.sample(index, seed: UInt64(seed), position: UInt64(position))
      #expect(other.values != one.values)
    }
    // The noise is that of the stream, in the order of memory.
    let noise = RandomStream(seed: 7, .latent, position: 1 << 40).normals(12)
    let isFlipped = one.values[0] < 0
    let deviation = exp(-0.5)
    for ((value, mean), n) in zip(zip(one.values, means(3, flipped: isFlipped)), noise) {
      #expect(abs(Double(value) - (Double(mean) + deviation * n)) < 1e-5)
    }
  }

  @Test func theScaleIsMeasuredOrGiven() throws {
    let folder = try LatentFolder(logVariance: -30)
    #expect(try folder.open(scale: 0).scale == 2.5)
    let given = try folder.open(scale: 0.25)
    let measured = try folder.open(scale: 0)
    let (a, b) = (
      try given.sample(0, seed: 0, position: 0).values,
      try measured.sample(0, seed: 0, position: 0).values
    )
    #expect(zip(a, b).allSatisfy { abs(10 * $0 - $1) < 1e-4 })
    #expect(given.contentDigest == measured.contentDigest)
  }

  @Test func theAutoencodersScaleIsUsed() throws {
    let folder = try LatentFolder()
    #expect(try LatentDataset(path: folder.path, scale: nil).scale == 0.18215)
    folder.description["scaling_factor"] = 0.13025
    try folder.describe()
    let own = try LatentDataset(path: folder.path, scale: nil)
    #expect(own.scale == 0.13025 && own.scaleWarning == nil)
    #expect(try folder.open(scale: 0.13025).scaleWarning == nil)
    #expect(try folder.open(scale: 0).scaleWarning == nil)
    let other = try folder.open(scale: 0.5)
    #expect(other.scale == 0.5)
    #expect(try #require(other.scaleWarning).contains("0.5, but the autoencoder of these latents"))
  }

  @Test func theDigestTellsContentApart() throws {
    let folder = try LatentFolder()
    let digest = try folder.open().contentDigest
    #expect(try LatentFolder().open().contentDigest == digest)
    folder.description["source"] = "elsewhere"
    try folder.describe()
    #expect(try folder.open().contentDigest == digest)
    #expect(try LatentFolder(logVariance: -2).open().contentDigest != digest)
    #expect(try LatentFolder(labels: [0, 1, 2, 1, 1]).open().contentDigest != digest)
    folder.description["vae"] = "b"
    try folder.describe()
    #expect(try folder.open().contentDigest != digest)
  }

  @Test func batchesAreMadeOfThem() throws {
    let folder = try LatentFolder()
    let dataset = try folder.open()
    let batch = try BatchSource(dataset, seed: 5).batch(at: 4..<11)
    #expect(batch.images.count == 7 * LatentFolder.elements)
    let order = DataOrder(seed: 5, count: 5)
    for (place, position) in (UInt64(4)..<11).enumerated() {
      let sample = try dataset.sample(order.index(at: position), seed: 5, position: position)
      #expect(batch.labels[place] == sample.label)
      #expect(Array(batch.images[place * 12..<(place + 1) * 12]) == sample.values)
    }
  }
}
