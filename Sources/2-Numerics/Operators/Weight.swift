import CKernels
import TensorCore

/// A trained matrix or convolution kernel, and the panels that products read of it.
public struct Weight {
  /// f32: [K, N] or [3, 3, K, N].
  public let values: Tensor
  /// Where panels are kept; nil: each product makes its own.
  let panels: PackedWeights?

  public init(_ values: Tensor, keptIn panels: PackedWeights? = nil) {
    (self.values, self.panels) = (values, panels)
  }

  var shape: Shape { values.shape }
  /// Whether further products will find panels that one has made.
  var keepsPanels: Bool { panels != nil }

  /// Column panels for a product of `dtype`: of w [taps, k, n] or, transposed, of [taps, n, k].
  ///
  /// - Parameter made: makes what is packed instead of the values: a function of them, of as many taps.
  func packed(
    _ dtype: DType, taps: Int, k: Int, n: Int, transposed: Bool, of made: (() -> Tensor)? = nil
  ) -> Tensor {
    let key = PackedWeights.Key(dtype: dtype, taps: taps, k: k, n: n, transposed: transposed)
    if let kept = panels?.kept[key] { return kept }
    let context = values.context
    let values = made?() ?? values
    let kernels = context.kernels[dtype]
    let bytes = Int(kernels.packed_bytes(Int64(taps), Int64(k), Int64(n)))
    let packed = Tensor([bytes / dtype.size], dtype, on: context)
    context.measured("weight panels", flops: 0, bytes: values.byteCount + bytes) {
      withElements(values, packed) { from, to in
        let columns = Int(context.kernels.table.pointee.panel_columns)
        context.threads.forRanges(of: n, grain: columns) { range in
          kernels.pack(
            from.assumingMemoryBound(to: Float.self), Int64(taps), Int64(k), Int64(n),
            transposed ? 1 : 0, Int64(range.lowerBound), Int64(range.upperBound),
            to + Int(kernels.packed_bytes(Int64(taps), Int64(k), Int64(range.lowerBound))))
        }
      }
    }
    panels?.kept[key] = packed
    return packed
  }
}

/// The panels of one weight, kept while it does not change.
public final class PackedWeights {
  struct Key: Hashable {
    let dtype: DType
    let taps: Int
    let k: Int
    let n: Int
    let transposed: Bool
  }

  fileprivate(set) var kept: [Key: Tensor] = [:]

  public init() {}
}
