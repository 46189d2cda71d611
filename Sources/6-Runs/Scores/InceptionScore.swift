import Collectives
import Foundation
import TensorCore

/// Inception score: how sure a classifier is of each image, and how varied its answers are.
///
/// Source: Salimans et al., arXiv:1606.03498, section 4. exp(E KL(p(y|x) || p(y))), where p(y) is
/// the mean over the images of a part; mean and population standard deviation over parts.
package enum InceptionScore {
  /// How the score is computed.
  package struct Options: Sendable, Equatable {
    /// How images are cut into parts.
    package enum Parts: Sendable, Equatable {
      /// So many parts, which differ by one image at most.
      case number(Int)
      /// Parts of so many images; the last one may have fewer.
      case images(Int)
    }
    /// How images are cut into parts.
    package var parts: Parts
    /// Seed of the NumPy permutation that comes first; nil keeps the images' order.
    package var shuffle: UInt32?

    /// Ten parts of shuffled images, as torch-fidelity does.
    package init(parts: Parts = .number(10), shuffle: UInt32? = 2020) {
      (self.parts, self.shuffle) = (parts, shuffle)
    }

    /// As ADM's evaluator: parts of 5,000 images in their order.
    package static let adm = Options(parts: .images(5000), shuffle: nil)

    /// Images below which there would be an empty part.
    package var images: Int {
      if case .number(let number) = parts { return number }
      return 1
    }

    /// The images of each part.
    package func ranges(of count: Int) -> [Range<Int>] {
      switch parts {
      case .number(let number):
        invariant(number > 0, "InceptionScore: \(number) parts")
        return (0..<number).map { (0..<count).share(rank: $0, of: number) }
      case .images(let images):
        invariant(images > 0, "InceptionScore: parts of \(images) images")
        return stride(from: 0, to: count, by: images).map { $0..<min($0 + images, count) }
      }
    }
  }

  /// The score of logits [N, classes], whose softmax is taken in f64.
  ///
  /// Memory beyond the logits: two numbers per class and part. Each part is summed by one thread in
  /// the order of its images.
  ///
  /// - Throws: `tooFewImages` where a part would be empty, `nonFiniteFeature`.
  package static func of(
    _ logits: FeatureMatrix, _ options: Options = Options(), on threads: ThreadPool
  ) throws -> MeanAndDeviation {
    guard logits.count >= options.images else {
      throw MetricsError.tooFewImages(
        metric: "is", side: .samples, found: logits.count, needed: options.images)
    }
    try logits.requireFinite(.logits)
    var order = Array(0..<logits.count)
    if let seed = options.shuffle {
      var random = NumPyRandom(seed: seed)
      random.shuffle(&order)
    }
    let ranges = options.ranges(of: logits.count)
    var scores = [Double](repeating: 0, count: ranges.count)
    scores.withUnsafeMutableBufferPointer { scores in
      guard let scores = scores.baseAddress else { return }
      threads.forRanges(of: ranges.count) { parts in
        for part in parts { scores[part] = score(logits, order[ranges[part]]) }
      }
    }
    return MeanAndDeviation(of: scores)
  }

  /// exp(mean KL) of the images `order`. The mean over images of KL(p || q) is that of sum p log p,
  /// less sum q log q, because q is the mean of p; so nothing needs to be kept or read twice. A
  /// class of probability 0 adds 0.
  private static func score(_ logits: FeatureMatrix, _ order: ArraySlice<Int>) -> Double {
    let classes = logits.width
    var exponentials = [Double](repeating: 0, count: classes)
    var total = [Double](repeating: 0, count: classes)
    var certainty = 0.0
    logits.values.withUnsafeBufferPointer { values in
      for image in order {
        let row = image * classes
        var largest = -Double.infinity
        for index in 0..<classes { largest = max(largest, Double(values[row + index])) }
        var (sum, weighted) = (0.0, 0.0)
        for index in 0..<classes {
          let distance = Double(values[row + index]) - largest
          let value = exp(distance)
          exponentials[index] = value
          sum += value
          weighted += value * distance
        }
        certainty += weighted / sum - log(sum)  // sum of p log p, log p = distance - log sum
        for index in 0..<classes { total[index] += exponentials[index] / sum }
      }
    }
    let images = Double(order.count)
    let spread = total.reduce(0) { $0 + ($1 > 0 ? $1 / images * log($1 / images) : 0) }
    return exp(certainty / images - spread)
  }
}

/// Mean and population standard deviation of a few values.
package struct MeanAndDeviation: Sendable, Equatable {
  /// The mean.
  package let mean: Double
  /// The population standard deviation.
  package let deviation: Double

  init(of values: [Double]) {
    let count = Double(values.count)
    let mean = values.reduce(0, +) / count
    let squares = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
    (self.mean, deviation) = (mean, (squares / count).squareRoot())
  }
}
