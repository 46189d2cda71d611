import Operators

/// The operators as plain f64 loops over their definitions: what the kernels are checked against.
package enum Plain {
  /// y = x w + b; x [rows, k], w [k, n], b [n].
  package static func linear(
    _ x: [Double], _ w: [Double], _ b: [Double]?, rows: Int, k: Int, n: Int
  ) -> [Double] {
    var y = [Double](repeating: 0, count: rows * n)
    for row in 0..<rows {
      for j in 0..<n {
        y[row * n + j] = b?[j] ?? 0
        for i in 0..<k { y[row * n + j] += x[row * k + i] * w[i * n + j] }
      }
    }
    return y
  }

  package static func linearGradients(
    _ dy: [Double], x: [Double], w: [Double], rows: Int, k: Int, n: Int
  ) -> (dx: [Double], dw: [Double], db: [Double]) {
    var dx = [Double](repeating: 0, count: rows * k)
    var dw = [Double](repeating: 0, count: k * n)
    var db = [Double](repeating: 0, count: n)
    for row in 0..<rows {
      for j in 0..<n {
        let d = dy[row * n + j]
        db[j] += d
        for i in 0..<k {
          dx[row * k + i] += d * w[i * n + j]
          dw[i * n + j] += d * x[row * k + i]
        }
      }
    }
    return (dx, dw, db)
  }
}

/// A convolution by its definition; see `ConvolutionOperator` for shapes.
package struct PlainConvolution: Sendable {
  package let kind: ConvolutionOperator.Kind
  package let images: Int, height: Int, width: Int, inputs: Int, outputs: Int

  package init(
    _ kind: ConvolutionOperator.Kind, images: Int, height: Int, width: Int, inputs: Int,
    outputs: Int
  ) {
    self.kind = kind
    (self.images, self.height, self.width) = (images, height, width)
    (self.inputs, self.outputs) = (inputs, outputs)
  }

  package var outputHeight: Int { outputSide(height) }
  package var outputWidth: Int { outputSide(width) }
  package var inputCount: Int { images * height * width * inputs }
  package var outputCount: Int { images * outputHeight * outputWidth * outputs }
  package var side: Int { kind.side }
  package var weightCount: Int { side * side * inputs * outputs }

  package func forward(_ x: [Double], _ w: [Double], _ b: [Double]?) -> [Double] {
    var y = (0..<outputCount).map { b?[$0 % outputs] ?? 0 }
    forEachPair { to, from, tap in
      for i in 0..<inputs {
        for j in 0..<outputs {
          y[to * outputs + j] += x[from * inputs + i] * w[(tap * inputs + i) * outputs + j]
        }
      }
    }
    return y
  }

  package func gradients(_ dy: [Double], x: [Double], w: [Double]) -> (
    dx: [Double], dw: [Double], db: [Double]
  ) {
    var dx = [Double](repeating: 0, count: inputCount)
    var dw = [Double](repeating: 0, count: weightCount)
    var db = [Double](repeating: 0, count: outputs)
    for i in 0..<outputCount { db[i % outputs] += dy[i] }
    forEachPair { to, from, tap in
      for i in 0..<inputs {
        for j in 0..<outputs {
          let (d, at) = (dy[to * outputs + j], (tap * inputs + i) * outputs + j)
          dx[from * inputs + i] += d * w[at]
          dw[at] += d * x[from * inputs + i]
        }
      }
    }
    return (dx, dw, db)
  }

  private func outputSide(_ side: Int) -> Int {
    switch kind {
    case .same: side
    case .down: (side + 1) / 2
    case .up, .nearestUp: 2 * side
    case .downAfter: side < 2 ? 0 : (side + 1 - 3) / 2 + 1
    case .wideDown: side < 2 ? 0 : (side + 2 - 4) / 2 + 1
    case .wide: side + 2 - 4 + 1
    }
  }

  /// Whether kernel row (or column) `k` joins output `o` and input `i`.
  private func joins(_ o: Int, _ i: Int, _ k: Int) -> Bool {
    switch kind {
    case .same, .wide: i == o + k - 1
    case .down, .wideDown: i == 2 * o + k - 1
    case .up: o == 2 * i + k - 1
    case .downAfter: i == 2 * o + k
    case .nearestUp: o + k - 1 >= 0 && i == (o + k - 1) / 2
    }
  }

  private func forEachPair(_ body: (_ to: Int, _ from: Int, _ tap: Int) -> Void) {
    for ky in 0..<side {
      for oy in 0..<outputHeight {
        for iy in 0..<height where joins(oy, iy, ky) {
          for kx in 0..<side {
            for ox in 0..<outputWidth {
              for ix in 0..<width where joins(ox, ix, kx) {
                for image in 0..<images {
                  body(
                    (image * outputHeight + oy) * outputWidth + ox,
                    (image * height + iy) * width + ix, side * ky + kx)
                }
              }
            }
          }
        }
      }
    }
  }
}
