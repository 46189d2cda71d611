import TensorCore

/// Nearest-neighbour upsampling by 2 and a 3x3 convolution as one transposed convolution with a 4x4
/// kernel.
///
/// A 3x3 convolution of an upsampled image reads every pixel of the small image up to four times.
/// Adding the taps that meet the same pixel leaves a transposed convolution of stride 2 with a 4x4
/// kernel: 16 products per small pixel instead of 36, and no upsampled image in memory.
///
/// Along an axis, output pixel o reads upsampled pixel o + k - 1, so small pixel i contributes to o
/// = 2 i + t - 1 by taps k = 2 (t = 0), 1 and 2 (t = 1), 0 and 1 (t = 2), 0 (t = 3).
enum TapSums {
  private static let parts: [[Int]] = [[2], [1, 2], [0, 1], [0]]

  /// For each tap of the 4x4 kernel, the taps of the 3x3 kernel that it is the sum of.
  private static let taps: [[Int]] = parts.flatMap { rows in
    parts.map { columns in rows.flatMap { row in columns.map { 3 * row + $0 } } }
  }

  /// The 4x4 kernel: [3, 3, K, N] -> [4, 4, K, N].
  static func kernel(of weight: Tensor) -> Tensor {
    let sums = Tensor([4, 4, weight.shape[2], weight.shape[3]], on: weight.context)
    add(weight, into: sums, taps, accumulate: false)
    return sums
  }

  /// dw [3, 3, K, N] from the gradient [4, 4, K, N] of the 4x4 kernel; with `accumulate` it is
  /// added to dw.
  static func gradient(_ sums: Tensor, into dw: Tensor, accumulate: Bool) {
    let uses = (0..<9).map { tap in taps.indices.filter { taps[$0].contains(tap) } }
    add(sums, into: dw, uses, accumulate: accumulate)
  }

  private static func add(
    _ from: Tensor, into to: Tensor, _ lists: [[Int]], accumulate: Bool
  ) {
    let (context, size) = (from.context, to.count / lists.count)
    let add = context.kernels.table.pointee.scale_add
    withFloats(from, to) { from, to in
      context.forElements(size) { begin, end in
        for (tap, list) in lists.enumerated() {
          let sum = to + tap * size
          for (i, part) in list.enumerated() {
            let before = i > 0 || accumulate ? UnsafePointer(sum) : nil
            add(1, from + part * size, before, begin, end, sum)
          }
        }
      }
    }
  }
}
