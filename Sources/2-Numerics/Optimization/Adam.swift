import CKernels
import TensorCore

/// Adam with decoupled weight decay (AdamW) over flat weights.
///
/// Source: Kingma and Ba, arXiv:1412.6980, Algorithm 1 (epsilon outside the root, as in PyTorch);
/// Loshchilov and Hutter, arXiv:1711.05101. Moments and update are f32.
///
/// ```swift
/// import Optimization
/// import TensorCore
///
/// let context = ComputeContext()
/// let weights = Tensor(zeros: [4096], on: context)
/// let gradients = Tensor(zeros: [4096], on: context)
/// gradients.fill(1)
/// var adam = Adam(
///   owned: OptimizerPartition(all: 4096), betas: (0.9, 0.999), epsilon: 1e-8, weightDecay: 0,
///   on: context)
/// adam.update(weights, gradients: gradients, learningRate: 0.1, factor: 1)
/// print(weights.floats[0])  // about -0.1: the first step moves every weight by the learning rate
/// ```
public struct Adam {
  /// The decay rates of the first and second moments, such as (0.9, 0.999).
  public var betas: (Double, Double)
  /// Added to the root of the second moment, against division by zero.
  public var epsilon: Double
  /// Each update multiplies the weights by 1 - learning rate * weight decay.
  public var weightDecay: Double
  /// The parts of the flat weights that this rank updates.
  public let owned: OptimizerPartition
  /// What it updates of these parts: all but what another optimiser does.
  private let spans: [(flat: Range<Int>, offset: Int)]
  /// The first and second moments of these parts, one part after the other, f32.
  public let (first, second): (Tensor, Tensor)
  /// How many updates were done; part of the run's state, since the bias correction depends on it.
  public var updates: Int

  /// Creates the optimiser with moments of zero.
  ///
  /// - Parameter excluded: ranges of the flat weights, in rising order, that it leaves alone, with
  ///   their moments.
  public init(
    owned: OptimizerPartition, betas: (Double, Double), epsilon: Double, weightDecay: Double,
    excluding excluded: [Range<Int>] = [], on context: ComputeContext
  ) {
    (self.betas, self.epsilon, self.weightDecay) = (betas, epsilon, weightDecay)
    (self.owned, spans) = (owned, owned.spans(without: excluded))
    (first, second) = (
      Tensor(zeros: [owned.count], on: context), Tensor(zeros: [owned.count], on: context)
    )
    updates = 0
  }

  /// Updates the owned parts of `weights`, in place, and in the same pass over memory exponential
  /// averages of them.
  ///
  /// - Parameters:
  ///   - weights: all flat weights, f32.
  ///   - gradients: all flat gradients, f32; only the owned parts are read.
  ///   - learningRate: the step size.
  ///   - factor: multiplies the gradients first, for clipping.
  ///   - averages: averages of the owned parts, each with the weight beta of its old value.
  public mutating func update(
    _ weights: Tensor, gradients: Tensor, learningRate: Double, factor: Float,
    averages: [(average: ExponentialAverage, beta: Double)] = []
  ) {
    invariant(
      weights.count == gradients.count && owned.pieces.allSatisfy { $0.upperBound <= weights.count }
        && averages.allSatisfy { $0.average.values.count == first.count },
      "Adam: weights \(weights.shape), gradients \(gradients.shape), moments \(first.shape)")
    updates += 1
    let correction1 = 1 - power(betas.0, updates)
    let correction2 = 1 - power(betas.1, updates)
    let settings = dk_adam(
      factor: factor, gain1: Float(1 - betas.0), beta2: Float(betas.1), gain2: Float(1 - betas.1),
      step: Float(learningRate / correction1), root2: Float(correction2.squareRoot()),
      epsilon: Float(epsilon), decay: Float(1 - learningRate * weightDecay))
    let context = weights.context
    let kernel = context.kernels.table.pointee.update
    context.measured(
      "adam and averages", flops: 0, bytes: (7 + 2 * averages.count) * first.byteCount
    ) {
      for (piece, offset) in spans {
        withFloats(gradients, first, second, weights) { g, m, v, w in
          withPointers(averages, from: offset) { averages in
            withUnsafePointer(to: settings) { settings in
              context.forElements(piece.count) { begin, end in
                kernel(
                  settings, averages.baseAddress, Int64(averages.count), begin, end,
                  g + piece.lowerBound, m + offset, v + offset, w + piece.lowerBound)
              }
            }
          }
        }
      }
    }
  }

  private func withPointers(
    _ averages: [(average: ExponentialAverage, beta: Double)], from offset: Int,
    _ body: (UnsafeBufferPointer<dk_average>) -> Void
  ) {
    func add(_ index: Int, _ pointers: [dk_average]) {
      guard index < averages.count else { return pointers.withUnsafeBufferPointer(body) }
      averages[index].average.values.withFloats {
        add(
          index + 1,
          pointers + [dk_average(values: $0 + offset, beta: Float(averages[index].beta))])
      }
    }
    add(0, [])
  }

  private func power(_ base: Double, _ exponent: Int) -> Double {
    var (result, square, left) = (1.0, base, exponent)
    while left > 0 {
      if left & 1 == 1 { result *= square }
      square *= square
      left >>= 1
    }
    return result
  }
}
