import Foundation

/// Window attention by its definition; see `WindowAttentionOperator` for shapes.
package struct PlainAttention: Sendable {
  package let images: Int, height: Int, width: Int, heads: Int, headDim: Int, window: Int

  package init(images: Int, height: Int, width: Int, heads: Int, headDim: Int, window: Int) {
    (self.images, self.height, self.width) = (images, height, width)
    (self.heads, self.headDim, self.window) = (heads, headDim, window)
  }

  package var channels: Int { heads * headDim }
  package var offsets: Int { (2 * window - 1) * (2 * window - 1) }
  package var qkvCount: Int { images * height * width * 3 * channels }
  package var shiftCount: Int { images * 3 * channels }
  package var tableCount: Int { offsets * heads }
  package var outputCount: Int { images * height * width * channels }

  package func forward(_ qkv: [Double], shift: [Double], table: [Double]) -> [Double] {
    var out = [Double](repeating: 0, count: outputCount)
    forEachWindow { image, head, tokens in
      let p = probabilities(qkv, shift, table, image, head, tokens)
      for (i, query) in tokens.enumerated() {
        for (j, key) in tokens.enumerated() {
          for c in 0..<headDim {
            out[query * channels + head * headDim + c] +=
              p[i][j] * operand(2, qkv, shift, image, head, key, c)
          }
        }
      }
    }
    return out
  }

  package func gradients(
    _ dout: [Double], qkv: [Double], shift: [Double], table: [Double]
  ) -> (dqkv: [Double], dshift: [Double], dtable: [Double]) {
    var dqkv = qkv.map { _ in 0.0 }
    var dtable = table.map { _ in 0.0 }
    let scale = 1 / Double(headDim).squareRoot()
    forEachWindow { image, head, tokens in
      let p = probabilities(qkv, shift, table, image, head, tokens)
      for (i, query) in tokens.enumerated() {
        let slopes = tokens.map { key in  // d loss / d p[i][j]
          (0..<headDim).reduce(0.0) {
            $0 + dout[query * channels + head * headDim + $1]
              * operand(2, qkv, shift, image, head, key, $1)
          }
        }
        let mean = zip(p[i], slopes).reduce(0) { $0 + $1.0 * $1.1 }
        for (j, key) in tokens.enumerated() {
          let ds = p[i][j] * (slopes[j] - mean)
          dtable[offset(i, j) * heads + head] += ds
          for c in 0..<headDim {
            let d = dout[query * channels + head * headDim + c]
            dqkv[at(0, head, query, c)] += ds * scale * operand(1, qkv, shift, image, head, key, c)
            dqkv[at(1, head, key, c)] += ds * scale * operand(0, qkv, shift, image, head, query, c)
            dqkv[at(2, head, key, c)] += p[i][j] * d
          }
        }
      }
    }
    var dshift = shift.map { _ in 0.0 }
    for i in dqkv.indices {
      let (pixel, channel) = (i / (3 * channels), i % (3 * channels))
      dshift[pixel / (height * width) * 3 * channels + channel] += dqkv[i]
    }
    return (dqkv, dshift, dtable)
  }

  /// Softmax rows of one window and head.
  private func probabilities(
    _ qkv: [Double], _ shift: [Double], _ table: [Double], _ image: Int, _ head: Int,
    _ tokens: [Int]
  ) -> [[Double]] {
    tokens.indices.map { i in
      let scores = tokens.indices.map { j in
        (0..<headDim).reduce(0.0) {
          $0 + operand(0, qkv, shift, image, head, tokens[i], $1)
            * operand(1, qkv, shift, image, head, tokens[j], $1)
        } / Double(headDim).squareRoot() + table[offset(i, j) * heads + head]
      }
      let peak = scores.max() ?? 0
      let e = scores.map { exp($0 - peak) }
      let sum = e.reduce(0, +)
      return e.map { $0 / sum }
    }
  }

  private func at(_ part: Int, _ head: Int, _ token: Int, _ c: Int) -> Int {
    (token * 3 + part) * channels + head * headDim + c
  }

  /// q (part 0), k (1) or v (2) of a token, the time token's shift included.
  private func operand(
    _ part: Int, _ qkv: [Double], _ shift: [Double], _ image: Int, _ head: Int, _ token: Int,
    _ c: Int
  ) -> Double {
    qkv[at(part, head, token, c)] + shift[at(part, head, image, c)]
  }

  private func offset(_ i: Int, _ j: Int) -> Int {
    (i / window - j / window + window - 1) * (2 * window - 1)
      + (i % window - j % window + window - 1)
  }

  /// Calls with the pixels of each window, row-major.
  private func forEachWindow(_ body: (_ image: Int, _ head: Int, _ tokens: [Int]) -> Void) {
    for image in 0..<images {
      for y in stride(from: 0, to: height, by: window) {
        for x in stride(from: 0, to: width, by: window) {
          let tokens = (0..<window * window).map {
            (image * height + y + $0 / window) * width + x + $0 % window
          }
          for head in 0..<heads { body(image, head, tokens) }
        }
      }
    }
  }
}
