import CKernels
import TensorCore

/// Dropout whose mask is a pure function of (seed, layer, image's position, element), so that it is
/// the same on any number of ranks and threads and need not be stored. Forward and backward are the
/// same multiplication.
public struct DropoutOperator: Sendable {
  /// 16-bit random numbers below this drop their element.
  let threshold: UInt32
  let scale: Float
  let streams: [RandomStream]

  /// - Parameters:
  ///   - rate: probability of a zero, rounded to 1 / 65536.
  ///   - layer: which dropout of the network this is.
  ///   - positions: each image's place in the run's image sequence, [B].
  public init(rate: Double, seed: UInt64, layer: Int, positions: [UInt64]) {
    invariant(rate >= 0 && rate < 1, "dropout: rate \(rate) is not in [0, 1)")
    threshold = UInt32((rate * 65536).rounded())
    scale = Float(65536 / (65536 - Double(threshold)))
    streams = positions.map {
      RandomStream(seed: seed, .dropout, substream: layer, position: $0)
    }
  }

  /// x [B, ...] -> [B, ...]
  public func callAsFunction(_ x: Tensor) -> Tensor {
    invariant(x.shape[0] == streams.count, "dropout: x \(x.shape), \(streams.count) positions")
    let y = Tensor(x.shape, on: x.engine)
    let inner = x.count / max(streams.count, 1)
    withFloats(x, y) { from, to in
      x.engine.threads.forRanges(of: streams.count) { range in
        for image in range {
          let stream = streams[image]
          let counter = [stream.counterWord, low(stream.position), high(stream.position)]
          x.engine.kernels.table.pointee.dropout(
            from + image * inner, 0, Int64(inner), counter, [low(stream.seed), high(stream.seed)],
            threshold, scale, to + image * inner)
        }
      }
    }
    return y
  }

  private func low(_ word: UInt64) -> UInt32 { UInt32(truncatingIfNeeded: word) }
  private func high(_ word: UInt64) -> UInt32 { UInt32(truncatingIfNeeded: word >> 32) }
}
