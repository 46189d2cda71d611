import Autodiff
import TensorCore

// Large images are encoded and decoded in tiles, one at a time, so the memory needed is that of one
// tile, one row of results and the image. Tiles are as large as the training images, a quarter of
// each overlaps the next one, and results are blended linearly over the overlap. This is what
// `enable_tiling` of diffusers does, so both give the same image. A tile sees nothing outside
// itself, so the result differs from that of the whole image at once.

extension VAE {
  /// `encode` in tiles, or at once if the images are no larger than one tile; without a tape.
  ///
  /// Shapes: x [B, H, W, 3] -> mean and logVariance [B, H / f, W / f, 4].
  ///
  /// - Parameters:
  ///   - x: the images.
  ///   - tile: side of a tile in pixels, a multiple of 4 f; by default the resolution of the
  ///     training.
  public func encodeInTiles(
    _ x: Tensor, tile: Int? = nil
  ) -> (mean: Tensor, logVariance: Tensor) {
    let tiling = Tiling(settings, tile)
    let raw =
      tiling.needs(x, tiling.pixels)
      ? tiling.run(x, tile: tiling.pixels, to: tiling.latents) { moments(Variable($0)).value }
      : moments(Variable(x)).value
    let (mean, logVariance) = gaussianMoments(
      Variable(raw), limits: Self.logVarianceLimits)
    return (mean.value, logVariance.value)
  }

  /// `decode` in tiles, or at once if the latents are no larger than those of one tile; without a
  /// tape.
  ///
  /// Shapes: z [B, h, w, 4] -> [B, f h, f w, 3].
  public func decodeInTiles(_ z: Tensor, tile: Int? = nil) -> Tensor {
    let tiling = Tiling(settings, tile)
    return tiling.needs(z, tiling.latents)
      ? tiling.run(z, tile: tiling.latents, to: tiling.pixels) { decode(Variable($0)).value }
      : decode(Variable(z)).value
  }
}

/// Square tiles with a side of `pixels` on the image's side and `latents` on the latent's side of
/// the network.
private struct Tiling {
  let pixels: Int
  let latents: Int

  init(_ settings: VAE.Settings, _ tile: Int?) {
    pixels = tile ?? settings.resolution
    latents = pixels / settings.factor
    invariant(
      pixels > 0 && pixels % (4 * settings.factor) == 0,
      "VAE: tiles of \(pixels) pixels, expected a multiple of 4 x \(settings.factor)")
  }

  func needs(_ x: Tensor, _ side: Int) -> Bool { x.shape[1] > side || x.shape[2] > side }

  /// Runs `network` on tiles with a side of `side` and assembles its results, which have a side of
  /// `target`.
  func run(
    _ x: Tensor, tile side: Int, to target: Int, _ network: (Tensor) -> Tensor
  ) -> Tensor {
    let (step, overlap) = (side / 4 * 3, target / 4)
    let limit = target - overlap
    let (height, width) = (x.shape[1], x.shape[2])
    var (result, above): (Tensor?, [Tensor]) = (nil, [])
    for (row, top) in stride(from: 0, to: height, by: step).enumerated() {
      var tiles: [Tensor] = []
      for (column, left) in stride(from: 0, to: width, by: step).enumerated() {
        let tile = network(
          x.pixels(top..<min(top + side, height), left..<min(left + side, width)))
        if row > 0 { tile.blend(with: above[column], rows: true, overlap) }
        if column > 0 { tile.blend(with: tiles[column - 1], rows: false, overlap) }
        tiles.append(tile)
        let whole =
          result
          ?? Tensor(
            [x.shape[0], height * target / side, width * target / side, tile.shape[3]],
            on: x.context)
        whole.write(tile, row * limit, column * limit, atMost: limit)
        result = whole
      }
      above = tiles
    }
    return result ?? x
  }
}

extension Tensor {
  /// A copy of a part of each image.
  fileprivate func pixels(_ rows: Range<Int>, _ columns: Range<Int>) -> Tensor {
    let part = Tensor([shape[0], rows.count, columns.count, shape[3]], on: context)
    let count = columns.count * shape[3]
    TensorCore.withFloats(self, part) { from, to in
      for image in 0..<shape[0] {
        for (i, row) in rows.enumerated() {
          let source = ((image * shape[1] + row) * shape[2] + columns.lowerBound) * shape[3]
          (to + (image * rows.count + i) * count).update(from: from + source, count: count)
        }
      }
    }
    return part
  }

  /// Writes at most `limit` rows and columns of a tile into these images, from (top, left) on.
  fileprivate func write(_ tile: Tensor, _ top: Int, _ left: Int, atMost limit: Int) {
    let (rows, columns) = (min(tile.shape[1], limit), min(tile.shape[2], limit))
    TensorCore.withFloats(tile, self) { from, to in
      for image in 0..<shape[0] {
        for row in 0..<rows {
          let target = ((image * shape[1] + top + row) * shape[2] + left) * shape[3]
          let source = (image * tile.shape[1] + row) * tile.shape[2] * shape[3]
          (to + target).update(from: from + source, count: columns * shape[3])
        }
      }
    }
  }

  /// Blends the first `extent` rows (or columns) of this tile with the last ones of the tile
  /// before, linearly.
  fileprivate func blend(with before: Tensor, rows: Bool, _ extent: Int) {
    let axis = rows ? 1 : 2
    let extent = min(extent, shape[axis], before.shape[axis])
    let (height, width, channels) = (rows ? extent : shape[1], rows ? shape[2] : extent, shape[3])
    let start = before.shape[axis] - extent
    let (above, beside) = rows ? (start, 0) : (0, start)
    let other = before.shape
    TensorCore.withFloats(before, self) { before, here in
      for image in 0..<shape[0] {
        for y in 0..<height {
          for x in 0..<width {
            let share = Float(rows ? y : x) / Float(extent)
            let from =
              ((image * other[1] + above + y) * other[2] + beside + x) * channels
            let to = ((image * shape[1] + y) * shape[2] + x) * channels
            for c in 0..<channels {
              here[to + c] = before[from + c] * (1 - share) + here[to + c] * share
            }
          }
        }
      }
    }
  }
}
