import CKernels
import TensorCore

/// Single-head self-attention among all pixels of each image: out = softmax(q k^T / sqrt(C)) v.
///
/// Shapes: q, k, v [B, H, W, C] -> [B, H, W, C], f32 or bf16, with f32 scores, softmax and sums.
/// Backward needs the inputs; scores are computed again. Only a block of queries has its scores in
/// memory at a time, out of the H W x H W scores, so wide heads and many pixels cost time but
/// little memory.
///
/// Images are processed one after the other, each product on all threads. The bits of an image
/// depend neither on the threads nor on the batch.
public enum PixelAttentionOperator {
  /// How many queries have their scores in memory at a time.
  static let block = 256

  /// The attention of q [B, H, W, C] over k and v of the same shape.
  public static func forward(_ q: Tensor, _ k: Tensor, _ v: Tensor) -> Tensor {
    let (context, pixels) = (q.context, checked(q, k, v))
    let out = Tensor(q.shape, q.dtype, on: context)
    for image in 0..<q.shape[0] {
      let keys = PackedRows(rows(k, image))
      let values = PackedRows(rows(v, image))
      for range in blocks(pixels) {
        let p = softmax(rows(q, image, range), keys).p
        values.product(p, .plain, into: rows(out, image, range))
      }
    }
    return out
  }

  /// The gradients of q, k and v, in their type.
  public static func gradient(
    _ dout: Tensor, _ q: Tensor, _ k: Tensor, _ v: Tensor
  ) -> (dq: Tensor, dk: Tensor, dv: Tensor) {
    let (context, pixels) = (q.context, checked(q, k, v))
    invariant(
      dout.shape == q.shape && dout.dtype == q.dtype,
      "pixelAttention: gradient \(dout.shape) \(dout.dtype) for \(q.shape) \(q.dtype)")
    let results = (0..<3).map { _ in Tensor(q.shape, q.dtype, on: context) }
    for image in 0..<q.shape[0] {
      let keys = PackedRows(rows(k, image))
      let values = PackedRows(rows(v, image))
      let dk = Tensor([pixels, q.shape.channels], on: context)
      let dv = Tensor([pixels, q.shape.channels], on: context)
      for range in blocks(pixels) {
        let (query, slope) = (rows(q, image, range), rows(dout, image, range))
        let (p, exact) = softmax(query, keys)
        let dp = Tensor([range.count, pixels], on: context)
        values.product(slope, .transposed, into: dp)
        let ds = scoreGradient(exact, dp, channels: q.shape.channels, q.dtype)
        keys.product(ds, .plain, into: rows(results[0], image, range))
        let more = range.lowerBound > 0
        LinearOperator.weightGradient(ds, query, into: dk, accumulate: more)
        LinearOperator.weightGradient(p, slope, into: dv, accumulate: more)
      }
      rows(results[1], image).overwrite(from: dk.cast(to: q.dtype))
      rows(results[2], image).overwrite(from: dv.cast(to: q.dtype))
    }
    return (results[0], results[1], results[2])
  }

  /// The softmax of a block of queries, once as activations and once in f32; one tensor serves as
  /// both in f32.
  private static func softmax(_ q: Tensor, _ keys: PackedRows) -> (p: Tensor, exact: Tensor) {
    let (context, pixels) = (q.context, keys.pixels)
    let scores = Tensor([q.shape[0], pixels], on: context)
    keys.product(q, .transposed, into: scores)
    let p = q.dtype == .float32 ? scores : Tensor(scores.shape, q.dtype, on: context)
    let kernels = context.kernels[q.dtype]
    context.measured("softmax", flops: 0, bytes: 2 * scores.byteCount) {
      withElements(scores, p) { scores, p in
        context.threads.forRanges(of: q.shape[0]) { range in
          kernels.softmax(
            scores.assumingMemoryBound(to: Float.self), Int64(pixels), Int64(range.lowerBound),
            Int64(range.upperBound), scale(q.shape.channels), q.dtype == .float32 ? nil : p)
        }
      }
    }
    return (p, scores)
  }

  /// The gradient of q k^T from the softmax p and its gradient dp, both f32.
  private static func scoreGradient(
    _ p: Tensor, _ dp: Tensor, channels: Int, _ dtype: DType
  ) -> Tensor {
    let (context, rowCount, pixels) = (p.context, p.shape[0], p.shape[1])
    let ds = Tensor(p.shape, dtype, on: context)
    let kernels = context.kernels[dtype]
    context.measured("softmax, gradient", flops: 0, bytes: 3 * p.byteCount) {
      withFloats(p, dp) { p, dp in
        ds.withElements { ds in
          context.threads.forRanges(of: rowCount) { range in
            kernels.softmax_gradient(
              p, dp, Int64(pixels), Int64(range.lowerBound), Int64(range.upperBound),
              scale(channels), ds)
          }
        }
      }
    }
    return ds
  }

  private static func scale(_ channels: Int) -> Float { 1 / Float(channels).squareRoot() }

  private static func blocks(_ pixels: Int) -> [Range<Int>] {
    stride(from: 0, to: pixels, by: block).map { $0..<min($0 + block, pixels) }
  }

  /// Pixels of one image as rows, [pixels, C].
  private static func rows(_ x: Tensor, _ image: Int, _ range: Range<Int>? = nil) -> Tensor {
    let (pixels, channels) = (x.shape[1] * x.shape[2], x.shape.channels)
    let range = range ?? 0..<pixels
    return x.view(
      at: (image * pixels + range.lowerBound) * channels, [range.count, channels])
  }

  private static func checked(_ q: Tensor, _ k: Tensor, _ v: Tensor) -> Int {
    invariant(
      q.shape.rank == 4 && k.shape == q.shape && v.shape == q.shape && k.dtype == q.dtype
        && v.dtype == q.dtype,
      "pixelAttention: q \(q.shape) \(q.dtype), k \(k.shape) \(k.dtype), v \(v.shape) \(v.dtype)")
    return q.shape[1] * q.shape[2]
  }
}

/// The keys or values of one image, packed as the right-hand side of products.
private struct PackedRows {
  enum Side {
    /// x [rows, pixels] times this matrix [pixels, C].
    case plain
    /// x [rows, C] times the transpose of this matrix.
    case transposed
  }

  let pixels: Int
  let channels: Int
  private let weight: Weight
  private let dtype: DType

  init(_ rows: Tensor) {
    (pixels, channels, dtype) = (rows.shape[0], rows.shape[1], rows.dtype)
    weight = Weight(rows.cast(to: .float32), keptIn: PackedWeights())
  }

  func product(_ x: Tensor, _ side: Side, into y: Tensor) {
    let isPlain = side == .plain
    let (k, n) = isPlain ? (pixels, channels) : (channels, pixels)
    let panels = weight.packed(dtype, taps: 1, k: k, n: n, transposed: !isPlain)
    let g = ProductGeometry.linear(rows: x.shape[0], inputs: k, outputs: n)
    x.context.product("attention among pixels", [g], x, panels, into: y)
  }
}
