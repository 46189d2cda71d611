import TensorCore

/// Cuts images into square patches (tokens), and puts them together again.
///
/// Shapes: image [B, H, W, C] with patch p <-> tokens [B, H / p, W / p, p p C]; a token holds its
/// pixels row by row. f32. Each direction is the gradient of the other.
public enum PatchOperator {
  /// Image to tokens: x [B, H, W, C] -> [B, H / p, W / p, p p C].
  public static func tokens(_ x: Tensor, patch: Int) -> Tensor {
    let s = x.shape
    invariant(
      s.rank == 4 && patch > 0 && s[1] % patch == 0 && s[2] % patch == 0,
      "patches: image \(s), patch \(patch)")
    let y = Tensor([s[0], s[1] / patch, s[2] / patch, patch * patch * s[3]], on: x.context)
    withFloats(x, y) { image, tokens in
      forRows(of: s, patch, x.context) { (tokens + $1).update(from: image + $0, count: $2) }
    }
    return y
  }

  /// Tokens to image: x [B, H / p, W / p, p p C] -> [B, H, W, C].
  public static func image(_ x: Tensor, patch: Int) -> Tensor {
    let s = x.shape
    invariant(
      s.rank == 4 && patch > 0 && s[3] % (patch * patch) == 0,
      "image of patches: tokens \(s), patch \(patch)")
    let y = Tensor([s[0], s[1] * patch, s[2] * patch, s[3] / (patch * patch)], on: x.context)
    withFloats(x, y) { tokens, image in
      forRows(of: y.shape, patch, x.context) { (image + $0).update(from: tokens + $1, count: $2) }
    }
    return y
  }

  /// Calls `body` for each row of each patch: the index of its first element in the image and in
  /// the tokens, and how many elements it has.
  private static func forRows(
    of image: Shape, _ patch: Int, _ context: ComputeContext,
    _ body: (_ image: Int, _ tokens: Int, _ count: Int) -> Void
  ) {
    let (columns, count) = (image[2] / patch, patch * image[3])
    context.threads.forRanges(of: image[0] * image[1]) { lines in
      for line in lines {
        let (block, row) = (line / patch, line % patch)
        for column in 0..<columns {
          body(
            (line * columns + column) * count, ((block * columns + column) * patch + row) * count,
            count)
        }
      }
    }
  }
}
