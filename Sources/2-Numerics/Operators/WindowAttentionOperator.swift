import CKernels
import TensorCore

/// Time-dependent multi-head self-attention in non-overlapping square windows: the softmax part of
/// TMSA (arXiv:2312.02139v3, eq. 3-6), between its projections.
///
/// q, k, v = qkv + shift, where the shift is the time token's part: one row per image, added to
/// every token. Then out = softmax(q k^T / sqrt(D) + B) v per head.
///
/// Shapes: B images, H W grid, C = heads * D channels, w window, N = w^2 tokens. qkv [B, H, W, 3 C]
/// (q, k, v side by side, heads inside), shift [B, 3 C], table [(2w - 1)^2, heads] -> [B, H, W, C]
/// of the type of qkv (f32 or bf16). The shift, the table and all arithmetic are f32. Backward
/// needs only the inputs; scores are computed again. A window may be as large as the image.
///
/// The units of work are heads of images, so results depend neither on threads nor on the batch.
public struct WindowAttentionOperator: Sendable {
  /// The number of heads.
  public let heads: Int
  /// The side of a window, in tokens.
  public let window: Int

  /// Attention with this many heads, in windows of `window` x `window` tokens.
  public init(heads: Int, window: Int) {
    invariant(heads > 0 && window > 0, "windowAttention: \(heads) heads, window \(window)")
    (self.heads, self.window) = (heads, window)
  }

  /// The attention of all windows: [B, H, W, C].
  public func forward(_ qkv: Tensor, shift: Tensor, table: Tensor) -> Tensor {
    let g = geometry(qkv.shape, shift.shape, table.shape)
    let (context, images) = (qkv.context, qkv.shape[0])
    let out = Tensor(
      Shape(qkv.shape.dimensions.dropLast() + [qkv.shape.channels / 3]), qkv.dtype, on: context)
    let kernels = context.kernels[qkv.dtype]
    context.measured(
      "window attention \(window)x\(window)", flops: 4 * out.count * window * window,
      bytes: qkv.byteCount + out.byteCount
    ) {
      let bias = expandedBias(table, g)
      let scratch = scratch(g, on: context)
      let pitch = scratch.shape[1]
      withFloats(shift, bias, scratch) { shift, bias, scratch in
        withElements(qkv, out) { qkv, out in
          forHeads(g, images, on: context) { g, part, image, heads in
            kernels.attention(
              g, Int64(image), Int64(heads.lowerBound), Int64(heads.upperBound), qkv, shift, bias,
              scratch + part * pitch, out)
          }
        }
      }
    }
    return out
  }

  /// The gradients of qkv, of shift (those of q, k and v summed over the tokens of an image, in
  /// f32) and, per image and head, of the table [B, heads, (2w - 1)^2]. `tableGradient` sums the
  /// latter over images.
  public func gradient(_ dout: Tensor, qkv: Tensor, shift: Tensor, table: Tensor) -> (
    dqkv: Tensor, dshift: Tensor, tableShares: Tensor
  ) {
    let g = geometry(qkv.shape, shift.shape, table.shape)
    invariant(
      dout.dtype == qkv.dtype && dout.count * 3 == qkv.count,
      "windowAttention: gradient \(dout.shape) \(dout.dtype) for qkv \(qkv.shape) \(qkv.dtype)")
    let (context, images) = (qkv.context, qkv.shape[0])
    let dqkv = Tensor(qkv.shape, qkv.dtype, on: context)
    let dshift = Tensor(shift.shape, on: context)
    let shares = Tensor([images, heads, table.shape[0]], on: context)
    let kernels = context.kernels[qkv.dtype]
    context.measured(
      "window attention \(window)x\(window), gradient", flops: 10 * dout.count * window * window,
      bytes: 2 * qkv.byteCount + dout.byteCount
    ) {
      let bias = expandedBias(table, g)
      let scratch = scratch(g, on: context)
      let pitch = scratch.shape[1]
      withFloats(shift, bias, scratch, shares, dshift) { shift, bias, scratch, shares, dshift in
        withElements(qkv, dout, dqkv) { qkv, dout, dqkv in
          forHeads(g, images, on: context) { g, part, image, heads in
            kernels.attention_gradient(
              g, Int64(image), Int64(heads.lowerBound), Int64(heads.upperBound), qkv, shift, bias,
              dout, scratch + part * pitch, dqkv, dshift, shares)
          }
        }
      }
    }
    return (dqkv, dshift, shares)
  }

  /// The table's gradient [(2w - 1)^2, heads]: the parts of all images, added in their order; with
  /// `accumulate` added to `gradient`.
  public func tableGradient(_ shares: Tensor, into gradient: Tensor, accumulate: Bool) {
    let (images, offsets) = (shares.shape[0], shares.shape[2])
    let context = shares.context
    let sums = Tensor(zeros: [heads, offsets], on: context)
    withFloats(shares, sums, gradient) { shares, sums, gradient in
      context.threads.forRanges(of: heads) { range in
        for head in range {
          let sum = sums + head * offsets
          for image in 0..<images {
            let share = shares + (image * heads + head) * offsets
            for offset in 0..<offsets { sum[offset] += share[offset] }
          }
          for offset in 0..<offsets {
            let at = offset * heads + head
            gradient[at] = accumulate ? gradient[at] + sum[offset] : sum[offset]
          }
        }
      }
    }
  }

  /// The bias of eq. (6), one head after the other, in the layout that the kernels read.
  private func expandedBias(_ table: Tensor, _ g: dk_attention) -> Tensor {
    let context = table.context
    let kernels = context.kernels[.float32]
    let bias = withUnsafePointer(to: g) { g in
      Tensor([heads, Int(dk_attention_bias(g))], on: context)
    }
    let pitch = bias.shape[1]
    withFloats(table, bias) { table, bias in
      withUnsafePointer(to: g) { g in
        context.threads.forRanges(of: heads, grain: pitch > 4096 ? 1 : heads) { range in
          for head in range { kernels.attention_bias(g, Int64(head), table, bias + head * pitch) }
        }
      }
    }
    return bias
  }

  /// Runs `body(geometry, part, image, heads)` for all images and heads; each part runs on one
  /// thread.
  private func forHeads(
    _ g: dk_attention, _ images: Int, on context: ComputeContext,
    _ body: (UnsafePointer<dk_attention>, Int, Int, Range<Int>) -> Void
  ) {
    let (units, parts) = (images * heads, context.threads.count)
    withUnsafePointer(to: g) { g in
      context.threads.run { part in
        var unit = units * part / parts
        let end = units * (part + 1) / parts
        while unit < end {
          let (image, head) = (unit / heads, unit % heads)
          let count = min(heads - head, end - unit)
          body(g, part, image, head..<head + count)
          unit += count
        }
      }
    }
  }

  /// The working memory of all threads.
  private func scratch(_ g: dk_attention, on context: ComputeContext) -> Tensor {
    let floats = withUnsafePointer(to: g) { Int(dk_attention_scratch($0)) }
    return Tensor([context.threads.count, (floats + 15) / 16 * 16], on: context)
  }

  private func geometry(_ qkv: Shape, _ shift: Shape, _ table: Shape) -> dk_attention {
    let side = 2 * window - 1
    invariant(
      qkv.rank == 4 && qkv[1] % window == 0 && qkv[2] % window == 0 && qkv[3] % (3 * heads) == 0
        && shift == [qkv[0], qkv[3]] && table == [side * side, heads],
      "windowAttention: qkv \(qkv), shift \(shift), table \(table), \(heads) heads, window \(window)"
    )
    return dk_attention(
      height: Int64(qkv[1]), width: Int64(qkv[2]), window: Int64(window), heads: Int64(heads),
      head_dim: Int64(qkv[3] / 3 / heads))
  }
}
