import TensorCore

/// The kernels by which images are brought to another size, antialiased: a kernel widens with the
/// scale where an image shrinks.
///
/// Source: Pillow's `ImagingResample`.
package enum ResampleFilter: String, Codable, CaseIterable, Sendable {
  /// The mean of what a pixel covers.
  case box
  /// Keys' cubic convolution with a = -1/2.
  case bicubic
  /// The sinc function under one of three times its width.
  case lanczos

  /// Half the width, in samples.
  package var support: Double {
    switch self {
    case .box: 0.5
    case .bicubic: 2
    case .lanczos: 3
    }
  }

  /// The kernel at `x` samples from its centre.
  package func callAsFunction(_ x: Double) -> Double {
    switch self {
    case .box:
      return x > -0.5 && x <= 0.5 ? 1 : 0
    case .bicubic:
      let x = x.magnitude
      if x < 1 { return (1.5 * x - 2.5) * x * x + 1 }
      if x < 2 { return (((x - 5) * x + 8) * x - 4) * -0.5 }
      return 0
    case .lanczos:
      return x >= -3 && x < 3 ? Self.sinc(x) * Self.sinc(x / 3) : 0
    }
  }

  private static func sinc(_ x: Double) -> Double {
    x == 0 ? 1 : PortableMath.sinCosOfTurns(x / 2).sin / (x * .pi)
  }
}

/// Along one axis: the samples that each output is made of, with f64 weights that sum to 1.
package struct ResampleWeights: Sendable {
  /// First sample of each output.
  package let first: [Int]
  /// Output `i` has the weights `start[i]..<start[i + 1]`.
  package let start: [Int]
  /// The weights of all outputs, one output after the other.
  package let weights: [Double]

  /// - Parameters:
  ///   - inputs: number of samples.
  ///   - outputs: number of samples after resizing.
  ///   - kept: the outputs that are wanted; the first of them is then output 0. Nil: all.
  package init(
    _ filter: ResampleFilter, from inputs: Int, to outputs: Int, kept: Range<Int>? = nil
  ) {
    let kept = kept ?? 0..<outputs
    invariant(
      inputs > 0 && outputs > 0 && kept.lowerBound >= 0 && kept.upperBound <= outputs,
      "ResampleWeights: outputs \(kept) of \(outputs) from \(inputs) samples")
    let scale = Double(inputs) / Double(outputs)
    let stretch = max(scale, 1)
    let support = filter.support * stretch
    var (first, start, weights) = ([Int](), [0], [Double]())
    for output in kept {
      let center = (Double(output) + 0.5) * scale
      let begin = max(Int(center - support + 0.5), 0)
      let end = min(Int(center + support + 0.5), inputs)
      let raw = (begin..<end).map { filter((Double($0) - center + 0.5) * (1 / stretch)) }
      let sum = raw.reduce(0, +)
      first.append(begin)
      weights += raw.map { $0 / sum }
      start.append(weights.count)
    }
    (self.first, self.start, self.weights) = (first, start, weights)
  }

  /// The samples that all outputs together are made of; empty without outputs.
  package var samples: Range<Int> {
    let ends = first.indices.map { first[$0] + start[$0 + 1] - start[$0] }
    return (first.min() ?? 0)..<(ends.max() ?? 0)
  }
}
