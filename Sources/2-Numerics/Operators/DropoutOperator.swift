import CKernels
import TensorCore

/// Dropout whose mask is a pure function of (seed, layer, position of the image, element). It is
/// therefore the same on any number of ranks and threads, and need not be stored. Forward and
/// backward are the same multiplication.
public struct DropoutOperator: Sendable {
  /// Elements whose 16-bit random number is below this are dropped.
  let threshold: UInt32
  let scale: Float
  let streams: [RandomStream]

  /// Masks for a batch of images.
  ///
  /// - Parameters:
  ///   - rate: the probability of a zero, in [0, 1), rounded to a multiple of 1 / 65536.
  ///   - seed: the seed of the run.
  ///   - layer: the number of this dropout layer in the network.
  ///   - positions: the index of each image in the run's image sequence, [B].
  public init(rate: Double, seed: UInt64, layer: Int, positions: [UInt64]) {
    invariant(rate >= 0 && rate < 1, "dropout: rate \(rate) is not in [0, 1)")
    threshold = UInt32((rate * 65536).rounded())
    scale = Float(65536 / (65536 - Double(threshold)))
    streams = positions.map {
      RandomStream(seed: seed, .dropout, substream: layer, position: $0)
    }
  }

  /// Masks and rescales x [B, ...], f32, and adds the addend if there is one; the result has the
  /// type `output`.
  public func callAsFunction(
    _ x: Tensor, plus addend: Tensor? = nil, output: DType = .float32
  ) -> Tensor {
    invariant(
      x.shape[0] == streams.count
        && (addend == nil || (addend?.shape == x.shape && addend?.dtype == x.dtype)),
      "dropout: x \(x.shape), plus \(String(describing: addend?.shape)),"
        + " \(streams.count) positions")
    let context = x.context
    let y = Tensor(x.shape, output, on: context)
    let inner = x.count / max(streams.count, 1)
    // Each image is cut into enough ranges to give every thread work.
    let cuts = max(1, (context.threads.count + streams.count - 1) / max(streams.count, 1))
    let kernels = context.kernels[output]
    let chunks = (inner + 127) / 128
    let read = addend == nil ? 1 : 2
    context.measured("dropout", flops: 0, bytes: read * x.byteCount + y.byteCount) {
      withFloats(x, addend ?? x) { from, added in
        y.withElements { to in
          context.threads.forRanges(of: streams.count * cuts) { range in
            for unit in range {
              let (image, cut) = (unit / cuts, unit % cuts)
              let stream = streams[image]
              let counter = [stream.counterWord, low(stream.position), high(stream.position)]
              let at = image * inner
              kernels.dropout(
                from + at, addend == nil ? nil : added + at, Int64(chunks * cut / cuts * 128),
                Int64(min(chunks * (cut + 1) / cuts * 128, inner)), counter,
                [low(stream.seed), high(stream.seed)], threshold, scale,
                to + at * output.size)
            }
          }
        }
      }
    }
    return y
  }

  private func low(_ word: UInt64) -> UInt32 { UInt32(truncatingIfNeeded: word) }
  private func high(_ word: UInt64) -> UInt32 { UInt32(truncatingIfNeeded: word >> 32) }
}
