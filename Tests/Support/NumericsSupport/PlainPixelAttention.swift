import Foundation

/// Attention among all pixels by its definition; see `PixelAttentionOperator` for shapes.
package enum PlainPixelAttention {
  /// - Parameter inputs: q, k and v.
  package static func forward(
    _ inputs: [[Double]], _ images: Int, _ pixels: Int, _ channels: Int
  ) -> [Double] {
    let (q, k, v) = (inputs[0], inputs[1], inputs[2])
    var out = [Double](repeating: 0, count: q.count)
    for image in 0..<images {
      let tokens = image * pixels..<(image + 1) * pixels
      for query in tokens {
        let p = probabilities(q, k, query, tokens, channels)
        for (key, p) in zip(tokens, p) {
          for c in 0..<channels { out[query * channels + c] += p * v[key * channels + c] }
        }
      }
    }
    return out
  }

  package static func gradients(
    _ dout: [Double], _ inputs: [[Double]], _ images: Int, _ pixels: Int, _ channels: Int
  ) -> [[Double]] {
    let (q, k, v) = (inputs[0], inputs[1], inputs[2])
    var (dq, dk, dv) = (q.map { _ in 0.0 }, q.map { _ in 0.0 }, q.map { _ in 0.0 })
    let scale = 1 / Double(channels).squareRoot()
    for image in 0..<images {
      let tokens = image * pixels..<(image + 1) * pixels
      for query in tokens {
        let p = probabilities(q, k, query, tokens, channels)
        let dp = tokens.map { key in
          (0..<channels).reduce(0.0) { $0 + dout[query * channels + $1] * v[key * channels + $1] }
        }
        let mean = zip(p, dp).reduce(0) { $0 + $1.0 * $1.1 }
        for (i, key) in tokens.enumerated() {
          let ds = scale * p[i] * (dp[i] - mean)
          for c in 0..<channels {
            dq[query * channels + c] += ds * k[key * channels + c]
            dk[key * channels + c] += ds * q[query * channels + c]
            dv[key * channels + c] += p[i] * dout[query * channels + c]
          }
        }
      }
    }
    return [dq, dk, dv]
  }

  private static func probabilities(
    _ q: [Double], _ k: [Double], _ query: Int, _ tokens: Range<Int>, _ channels: Int
  ) -> [Double] {
    let scores = tokens.map { key in
      (0..<channels).reduce(0.0) { $0 + q[query * channels + $1] * k[key * channels + $1] }
        / Double(channels).squareRoot()
    }
    let peak = scores.max() ?? 0
    let e = scores.map { exp($0 - peak) }
    let sum = e.reduce(0, +)
    return e.map { $0 / sum }
  }
}
