import TensorCore

/// The sums of squares of all blocks of 4,096 elements of a flat tensor, in f64. A sum is not
/// finite if an element is not finite; the square of a finite f32 never overflows f64. Their
/// `treeSum` depends neither on the threads nor on which rank computed which block.
///
/// - Parameters:
///   - x: f32.
///   - pieces: the parts to compute, which begin at whole blocks; the sums of all other blocks are
///     0.
public func blockSquares(_ x: Tensor, in pieces: [Range<Int>]) -> [Double] {
  let block = 4096
  var sums = [Double](repeating: 0, count: (x.count + block - 1) / block)
  let kernel = x.context.kernels.table.pointee.squares
  x.withFloats { values in
    sums.withUnsafeMutableBufferPointer { sums in
      for piece in pieces {
        invariant(piece.lowerBound % block == 0, "blockSquares: \(piece) begins inside a block")
        let first = piece.lowerBound / block
        x.context.threads.forRanges(of: (piece.count + block - 1) / block) { range in
          for index in range {
            let start = (first + index) * block
            sums[first + index] = kernel(
              values, Int64(start), Int64(min(start + block, piece.upperBound)))
          }
        }
      }
    }
  }
  return sums
}

/// The sum by pairs: neighbours first, then neighbouring sums (pairwise summation).
public func treeSum(_ values: [Double]) -> Double {
  var values = values
  while values.count > 1 {
    values = stride(from: 0, to: values.count, by: 2).map {
      $0 + 1 < values.count ? values[$0] + values[$0 + 1] : values[$0]
    }
  }
  return values.first ?? 0
}

/// The factor that scales a gradient of this norm down to the norm `limit`; 1 if the limit is 0,
/// which means none, or not exceeded.
public func clippingFactor(norm: Double, limit: Double) -> Float {
  limit > 0 && norm > limit ? Float(limit / norm) : 1
}
