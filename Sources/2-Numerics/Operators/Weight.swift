import CKernels
import TensorCore

/// A matrix or convolution kernel as the right-hand side of products, with its packed forms.
public struct Weight {
  /// The values, f32: [K, N] or [s, s, K, N].
  public let values: Tensor
  /// Where packed weights are kept; nil if each product packs its own.
  let panels: PackedWeights?

  /// A weight.
  ///
  /// - Parameters:
  ///   - values: f32, [K, N] or [s, s, K, N].
  ///   - panels: where products keep the packed weights, for products to come; nil if the weight
  ///     will change.
  public init(_ values: Tensor, keptIn panels: PackedWeights? = nil) {
    (self.values, self.panels) = (values, panels)
  }

  var shape: Shape { values.shape }
  /// Whether later products can use packed weights that an earlier one has made.
  var keepsPanels: Bool { panels != nil }

  /// The packed weights (column panels) for a product of type `dtype`: of w [taps, k, n] or,
  /// transposed, of w [taps, n, k].
  ///
  /// - Parameter made: makes the values to pack if they are not the weight's own: a function of
  ///   them, with `taps` taps.
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

/// The packed forms of one weight, in the layout that the kernels multiply with (BLAS: packed
/// panels). They are valid while the weight does not change.
public final class PackedWeights {
  struct Key: Hashable {
    let dtype: DType
    let taps: Int
    let k: Int
    let n: Int
    let transposed: Bool
  }

  fileprivate(set) var kept: [Key: Tensor] = [:]

  /// Nothing packed yet.
  public init() {}
}
