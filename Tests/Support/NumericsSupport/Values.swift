import TensorCore

/// Arbitrary but fixed f32 numbers, uniform in ±`scale`.
package func values(_ count: Int, _ seed: Int, scale: Double = 1) -> [Float] {
  let stream = RandomStream(seed: 1, .test, substream: seed, position: 0)
  return (0..<count).map { Float(scale * (2 * stream.uniform($0) - 1)) }
}

extension [Float] {
  package var wide: [Double] { map(Double.init) }
  /// For comparison bit by bit, NaN included.
  package var bits: [UInt32] { map(\.bitPattern) }
}

extension Tensor {
  package var bits: [UInt32] { floats.bits }
}

/// Largest |a - b| over the largest |b|; infinite where a number is not finite.
package func relativeError(_ a: [Float], _ b: [Double]) -> Double {
  precondition(a.count == b.count, "relativeError: \(a.count) values against \(b.count)")
  var (worst, largest) = (0.0, 0.0)
  for (a, b) in zip(a, b) {
    let difference = abs(Double(a) - b)
    guard difference.isFinite else { return .infinity }
    worst = max(worst, difference)
    largest = max(largest, abs(b))
  }
  return worst == 0 ? 0 : worst / largest
}

package func relativeError(_ a: Tensor, _ b: [Double]) -> Double { relativeError(a.floats, b) }

/// One way to run an operator: an instruction set that this CPU has, and a number of threads.
package struct Setup: Sendable, CustomStringConvertible {
  package let level: KernelTable.Level
  package let threads: Int

  package init(_ level: KernelTable.Level, threads: Int) {
    (self.level, self.threads) = (level, threads)
  }

  package static let levels = KernelTable.Level.allCases.filter {
    $0.runs(on: KernelTable.bestLevel)
  }
  /// Every level on one and on three threads.
  package static let all = levels.flatMap { level in [1, 3].map { Setup(level, threads: $0) } }

  package var context: ComputeContext {
    guard let kernels = KernelTable(level) else { preconditionFailure("\(level) was available") }
    return try! ComputeContext(threadCount: threads, kernels: kernels)
  }

  package var description: String { "\(level), \(threads) threads" }
}

/// A number from 0 to `bound` - 1.
package func draw(_ random: RandomStream, below bound: Int, _ draw: Int) -> Int {
  Int(random.bits(draw)) % bound
}
