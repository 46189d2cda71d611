import TensorCore

/// Sum of squares of a flat range, in f64: blocks of 4,096 elements, added in a binary tree, so that
/// the result depends on neither threads nor ranges aligned to blocks. Not finite where an element is
/// not; the square of a finite f32 never overflows f64.
public func sumOfSquares(_ x: Tensor) -> Double {
  let blocks = (x.count + 4095) / 4096
  var sums = [Double](repeating: 0, count: blocks)
  x.withFloats { values in
    sums.withUnsafeMutableBufferPointer { sums in
      x.engine.threads.forRanges(of: blocks) { range in
        for block in range {
          sums[block] = x.engine.kernels.table.pointee.squares(
            values, Int64(block * 4096), Int64(min((block + 1) * 4096, x.count)))
        }
      }
    }
  }
  return treeSum(sums)
}

/// Pairwise sum: neighbours first.
public func treeSum(_ values: [Double]) -> Double {
  var values = values
  while values.count > 1 {
    values = stride(from: 0, to: values.count, by: 2).map {
      $0 + 1 < values.count ? values[$0] + values[$0 + 1] : values[$0]
    }
  }
  return values.first ?? 0
}

/// Factor that brings a gradient of this norm down to `limit`; 1 where `limit` is 0 or not exceeded.
public func clippingFactor(norm: Double, limit: Double) -> Float {
  limit > 0 && norm > limit ? Float(limit / norm) : 1
}
