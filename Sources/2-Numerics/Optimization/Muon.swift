import TensorCore

/// Muon: momentum whose update is orthogonalised, for the matrices of hidden layers. `Adam` updates
/// everything else, and holds Muon's momentum where its own first moment would be.
///
/// m = lerp(m, g, 1 - 0.95); u = lerp(g, m, 0.95); w = (1 - rate decay) w - rate scale
/// orthogonalised(u), with the scale that gives updates the size of Adam's, so that the learning
/// rate is the same.
///
/// Source: Jordan et al., "Muon: an optimizer for hidden layers in neural networks" (2024), and its
/// code. An update has three parts, between which ranks that share the state exchange u and its
/// orthogonalised form.
///
/// ```swift
/// import Optimization
/// import TensorCore
///
/// let context = ComputeContext()
/// let (weights, gradients) = (Tensor(zeros: [4096], on: context), Tensor([4096], on: context))
/// gradients.fill(1)
/// let adam = Adam(
///   owned: OptimizerPartition(all: 4096), betas: (0.9, 0.999), epsilon: 1e-8, weightDecay: 0,
///   on: context)
/// let muon = Muon([MatrixParameter(0..<4096, rows: 64)], owned: adam.owned)
/// muon.accumulate(gradients, factor: 1, momentum: adam.first)
/// muon.orthogonalize(gradients, 0..<1)
/// muon.apply(gradients, to: weights, learningRate: 0.1, weightDecay: 0)
/// ```
public struct Muon {
  /// How much of the momentum is kept per step.
  public static let momentum: Float = 0.95

  /// The tensors that it updates, in the order of the flat weights.
  public let matrices: [MatrixParameter]
  /// The parts of the flat weights that this rank updates.
  private let owned: OptimizerPartition
  /// What the two have in common, and where it is in the stored tensors.
  private let spans: [(flat: Range<Int>, offset: Int)]

  /// An optimiser of these tensors, which must be in the order of the flat weights.
  public init(_ matrices: [MatrixParameter], owned: OptimizerPartition) {
    invariant(
      zip(matrices, matrices.dropFirst()).allSatisfy { $0.range.upperBound <= $1.range.lowerBound },
      "Muon: matrices are not in the order of the flat weights")
    (self.matrices, self.owned) = (matrices, owned)
    spans = owned.spans(within: matrices.map(\.range))
  }

  /// Updates the owned parts of the momentum, and replaces the gradients there by u.
  ///
  /// - Parameters:
  ///   - gradients: all flat gradients, f32.
  ///   - factor: multiplies the gradients first, for clipping.
  ///   - momentum: of the owned parts, one part after the other.
  public func accumulate(_ gradients: Tensor, factor: Float, momentum: Tensor) {
    let kept = Self.momentum
    invariant(momentum.count == owned.count, "Muon: \(momentum.shape) for \(owned.count) elements")
    each(on: gradients.context) { flat, offset, begin, end in
      withFloats(gradients, momentum) { g, m in
        for i in begin..<end {
          let gradient = factor * g[flat + i]
          let mean = m[offset + i] + (1 - kept) * (gradient - m[offset + i])
          m[offset + i] = mean
          g[flat + i] = gradient + kept * (mean - gradient)
        }
      }
    }
  }

  /// The elements of the flat weights in which the tensors of each share lie: consecutive ranges.
  ///
  /// - Parameter shares: consecutive ranges of indices of `matrices`.
  public func pieces(of shares: [Range<Int>]) -> [Range<Int>] {
    shares.map { share in
      guard let first = matrices[share].first, let last = matrices[share].last else { return 0..<0 }
      return first.range.lowerBound..<last.range.upperBound
    }
  }

  /// Orthogonalises some of the tensors in the flat gradients, which hold u there.
  public func orthogonalize(_ gradients: Tensor, _ indices: Range<Int>) {
    for matrix in matrices[indices] { matrix.orthogonalize(in: gradients) }
  }

  /// Updates the owned parts of the weights, and averages of them.
  ///
  /// - Parameters:
  ///   - gradients: all flat gradients, which hold the orthogonalised updates.
  ///   - weights: all flat weights, f32.
  ///   - learningRate: the step size.
  ///   - weightDecay: as Adam's.
  ///   - averages: averages of the owned parts, each with the weight beta of its old value.
  public func apply(
    _ gradients: Tensor, to weights: Tensor, learningRate: Double, weightDecay: Double,
    averages: [(average: ExponentialAverage, beta: Double)] = []
  ) {
    let (rate, decay) = (Float(learningRate), Float(1 - learningRate * weightDecay))
    each(on: weights.context) { flat, _, begin, end in
      withFloats(gradients, weights) { g, w in
        for i in flat + begin..<flat + end { w[i] = decay * w[i] - rate * g[i] }
      }
    }
    for (average, beta) in averages {
      let beta = Float(beta)
      each(on: weights.context) { flat, offset, begin, end in
        withFloats(weights, average.values) { w, e in
          for i in begin..<end {
            let weight = w[flat + i]
            e[offset + i] = weight + beta * (e[offset + i] - weight)
          }
        }
      }
    }
  }

  /// Runs `body` on ranges of each owned span, some at a time on each thread: with the first element
  /// of the span in the flat and in the stored tensors, and a range relative to that.
  private func each(
    on context: ComputeContext,
    _ body: (_ flat: Int, _ offset: Int, _ begin: Int, _ end: Int) -> Void
  ) {
    for (flat, offset) in spans {
      context.forElements(flat.count) { body(flat.lowerBound, offset, Int($0), Int($1)) }
    }
  }
}

extension OptimizerPartition {
  /// The stored elements within some ranges of the flat weights, which are in rising order: each
  /// with its place in the stored tensors.
  func spans(within ranges: [Range<Int>]) -> [(flat: Range<Int>, offset: Int)] {
    var (found, first) = ([(flat: Range<Int>, offset: Int)](), 0)
    for (piece, offset) in zip(pieces, offsets) {
      while first < ranges.count && ranges[first].upperBound <= piece.lowerBound { first += 1 }
      for range in ranges[first...] {
        if range.lowerBound >= piece.upperBound { break }
        let common = range.clamped(to: piece)
        if !common.isEmpty { found.append((common, offset + common.lowerBound - piece.lowerBound)) }
      }
    }
    return found
  }

  /// The stored elements outside of these ranges, which are in rising order.
  func spans(without ranges: [Range<Int>]) -> [(flat: Range<Int>, offset: Int)] {
    guard let end = pieces.last?.upperBound else { return [] }
    var (gaps, start) = ([Range<Int>](), 0)
    for range in ranges where range.lowerBound < end {
      if range.lowerBound > start { gaps.append(start..<range.lowerBound) }
      start = range.upperBound
    }
    if start < end { gaps.append(start..<end) }
    return spans(within: gaps)
  }
}
