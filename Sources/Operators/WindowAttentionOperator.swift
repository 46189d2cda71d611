import CKernels
import TensorCore

/// Time-dependent multi-head self-attention inside non-overlapping square windows: the softmax part of
/// TMSA (arXiv:2312.02139v3, eq. 3-6) between its projections.
///
/// q, k, v = qkv + shift (the time token's part, one row an image, added to every token);
/// out = softmax(q k^T / sqrt(D) + B) v a head.
///
/// Shapes: B images, H W grid, C = heads * D channels, w window, N = w^2 tokens.
/// qkv [B, H, W, 3 C] (q, k, v side by side, heads inside), shift [B, 3 C], table [(2w - 1)^2, heads]
/// -> [B, H, W, C]. Backward needs the inputs only: scores are computed again.
public struct WindowAttentionOperator: Sendable {
  public let heads: Int
  public let window: Int

  public init(heads: Int, window: Int) {
    invariant(heads > 0 && window > 0, "windowAttention: \(heads) heads, window \(window)")
    (self.heads, self.window) = (heads, window)
  }

  public func forward(_ qkv: Tensor, shift: Tensor, table: Tensor) -> Tensor {
    let g = geometry(qkv.shape, shift.shape, table.shape)
    let engine = qkv.engine
    let images = qkv.shape[0]
    let out = Tensor(
      Shape([images, qkv.shape[1], qkv.shape[2], qkv.shape[3] / 3]), qkv.dtype, on: engine)
    let bias = expandedBias(table)
    let scratch = scratch(g, on: engine)
    let pitch = scratch.shape[1]
    let kernels = engine.kernels[qkv.dtype]
    engine.measured(
      "window attention \(window)x\(window)", flops: 4 * out.count * window * window,
      bytes: qkv.byteCount + out.byteCount
    ) {
      withFloats(shift, bias, scratch) { shift, bias, scratch in
        withElements(qkv, out) { qkv, out in
          forUnits(g, images, on: engine) { g, part, image, head in
            kernels.attention(
              g, Int64(image), Int64(head), qkv, shift, bias, scratch + part * pitch, out)
          }
        }
      }
    }
    return out
  }

  /// Gradients of qkv (and so of every token's q, k, v) and, a (image, head), of the table.
  public func gradient(_ dout: Tensor, qkv: Tensor, shift: Tensor, table: Tensor) -> (
    dqkv: Tensor, tableShares: Tensor
  ) {
    let g = geometry(qkv.shape, shift.shape, table.shape)
    let engine = qkv.engine
    let images = qkv.shape[0]
    let tokens = window * window
    let offsets = table.shape[0]
    let dqkv = Tensor(qkv.shape, qkv.dtype, on: engine)
    let shares = Tensor([images, heads, offsets], on: engine)
    let bias = expandedBias(table)
    let biasPitch = bias.shape[2]
    let scratch = scratch(g, on: engine)
    let pitch = scratch.shape[1]
    let dbias = Tensor([engine.threads.count, tokens * biasPitch], on: engine)
    let kernels = engine.kernels[qkv.dtype]
    engine.measured(
      "window attention \(window)x\(window), gradient", flops: 10 * dout.count * window * window,
      bytes: 2 * qkv.byteCount + dout.byteCount
    ) {
      withFloats(shift, bias, scratch) { shift, bias, scratch in
        withFloats(dbias, shares) { dbias, shares in
          withElements(qkv, dout, dqkv) { qkv, dout, dqkv in
            forUnits(g, images, on: engine) { g, part, image, head in
              let own = dbias + part * tokens * biasPitch
              kernels.attention_gradient(
                g, Int64(image), Int64(head), qkv, shift, bias, dout, scratch + part * pitch, dqkv,
                own)
              let share = shares + (image * heads + head) * offsets
              share.update(repeating: 0, count: offsets)
              forOffsets { i, j, offset in share[offset] += own[i * biasPitch + j] }
            }
          }
        }
      }
    }
    return (dqkv, shares)
  }

  /// dtable (+)= shares summed over images in their order.
  public func tableGradient(_ shares: Tensor, into gradient: Tensor, accumulate: Bool) {
    let (images, offsets) = (shares.shape[0], shares.shape[2])
    withFloats(shares, gradient) { shares, gradient in
      for offset in 0..<offsets {
        for head in 0..<heads {
          var sum: Float = 0
          for image in 0..<images { sum += shares[(image * heads + head) * offsets + offset] }
          let at = offset * heads + head
          gradient[at] = accumulate ? gradient[at] + sum : sum
        }
      }
    }
  }

  /// dshift [B, 3 C]: dqkv summed over the tokens of each image.
  public static func shiftGradient(_ dqkv: Tensor) -> Tensor {
    let (images, channels) = (dqkv.shape[0], dqkv.shape.channels)
    let shift = Tensor([images, channels], on: dqkv.engine)
    for image in 0..<images {
      dqkv.engine.columnSums(
        dqkv[image..<image + 1], into: shift[image..<image + 1], accumulate: false)
    }
    return shift
  }

  /// Runs `body` for query token i, key token j and their row of the table: row-major tokens, Swin
  /// indexing, row (drow + w - 1) (2 w - 1) + (dcol + w - 1).
  private func forOffsets(_ body: (_ i: Int, _ j: Int, _ offset: Int) -> Void) {
    for i in 0..<window * window {
      let (row, column) = (i / window, i % window)
      for keyRow in 0..<window {
        let first = (row - keyRow + window - 1) * (2 * window - 1) + column + window - 1
        for keyColumn in 0..<window {
          body(i, keyRow * window + keyColumn, first - keyColumn)
        }
      }
    }
  }

  /// The bias of eq. (6) as [heads, N, N rounded up to a vector].
  private func expandedBias(_ table: Tensor) -> Tensor {
    let tokens = window * window
    let vector = Int(table.engine.kernels.table.pointee.vector_width)
    let pitch = (tokens + vector - 1) / vector * vector
    let bias = Tensor(zeros: [heads, tokens, pitch], on: table.engine)
    withFloats(table, bias) { table, bias in
      forOffsets { i, j, offset in
        for head in 0..<heads {
          bias[(head * tokens + i) * pitch + j] = table[offset * heads + head]
        }
      }
    }
    return bias
  }

  /// Runs `body(geometry, part, image, head)` for all images and heads; a part runs on one thread.
  private func forUnits(
    _ g: dk_attention, _ images: Int, on engine: Engine,
    _ body: (UnsafePointer<dk_attention>, Int, Int, Int) -> Void
  ) {
    let (units, parts) = (images * heads, engine.threads.count)
    withUnsafePointer(to: g) { g in
      engine.threads.run { part in
        for unit in units * part / parts..<units * (part + 1) / parts {
          body(g, part, unit / heads, unit % heads)
        }
      }
    }
  }

  private func scratch(_ g: dk_attention, on engine: Engine) -> Tensor {
    let floats = Int(dk_attention_scratch(g.window * g.window, g.head_dim))
    return Tensor([engine.threads.count, (floats + 15) / 16 * 16], on: engine)
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
