import Autodiff
import TensorCore

// Large pictures, a tile at a time: memory is that of one tile, of one row of results and of the picture.
// Tiles are as large as the pictures of the training, a quarter of each overlaps the next, and results are
// blended linearly over the overlap: diffusers' `enable_tiling`, so that both give the same picture. A tile
// sees nothing outside, so the result is not that of the whole picture at once.

extension VAE {
  /// `encode` in tiles; as a whole where the pictures are no larger than one. No tape.
  ///
  /// Shapes: x [B, H, W, 3] -> mean and logVariance [B, H / f, W / f, 4].
  /// - Parameter tile: pixels a side; 4 f divides it. That of the training where it is not given.
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

  /// `decode` in tiles; as a whole where the latents are no larger than those of one. No tape.
  ///
  /// Shapes: z [B, h, w, 4] -> [B, f h, f w, 3].
  public func decodeInTiles(_ z: Tensor, tile: Int? = nil) -> Tensor {
    let tiling = Tiling(settings, tile)
    return tiling.needs(z, tiling.latents)
      ? tiling.run(z, tile: tiling.latents, to: tiling.pixels) { decode(Variable($0)).value }
      : decode(Variable(z)).value
  }
}

/// Squares of `pixels` and, on the other side of the network, `latents`.
private struct Tiling {
  let pixels: Int
  let latents: Int

  init(_ settings: VAE.Settings, _ tile: Int?) {
    pixels = tile ?? settings.resolution
    latents = pixels / settings.factor
    invariant(
      pixels > 0 && pixels % (4 * settings.factor) == 0,
      "VAE: tiles of \(pixels) pixels, which a factor of 4 x \(settings.factor) must divide")
  }

  func needs(_ x: Tensor, _ side: Int) -> Bool { x.shape[1] > side || x.shape[2] > side }

  /// Runs `network` on tiles of `side` and puts its tiles of `target` together.
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
        whole.place(tile, row * limit, column * limit, atMost: limit)
        result = whole
      }
      above = tiles
    }
    return result ?? x
  }
}

extension Tensor {
  /// A part of each image, copied.
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

  /// Writes at most `limit` rows and columns of a tile into these images.
  fileprivate func place(_ tile: Tensor, _ top: Int, _ left: Int, atMost limit: Int) {
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

  /// Fades from the last `extent` rows (or columns) of the tile before to this one's first.
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
