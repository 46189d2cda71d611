import Foundation

extension Plain {
  package static func sigmoid(_ x: Double) -> Double { 1 / (1 + exp(-x)) }
  package static func silu(_ x: Double) -> Double { x * sigmoid(x) }
  package static func siluSlope(_ x: Double) -> Double {
    sigmoid(x) * (1 + x * (1 - sigmoid(x)))
  }

  /// GELU, tanh form: x/2 (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3))).
  package static func gelu(_ x: Double) -> Double { x / 2 * (1 + tanh(geluArgument(x))) }
  package static func geluSlope(_ x: Double) -> Double {
    let t = tanh(geluArgument(x))
    let inner = (2 / Double.pi).squareRoot() * (1 + 3 * 0.044715 * x * x)
    return (1 + t) / 2 + x / 2 * (1 - t * t) * inner
  }
  private static func geluArgument(_ x: Double) -> Double {
    (2 / Double.pi).squareRoot() * (x + 0.044715 * x * x * x)
  }

  /// (x - mean) / sqrt(variance + epsilon) over each list of indices, and the factor of each list.
  static func normalize(_ x: [Double], over lists: [[Int]], epsilon: Double) -> (
    y: [Double], inverse: [Double]
  ) {
    var y = x
    let inverse = lists.map { list in
      let mean = list.reduce(0) { $0 + x[$1] } / Double(list.count)
      let variance = list.reduce(0) { $0 + (x[$1] - mean) * (x[$1] - mean) } / Double(list.count)
      let inverse = 1 / (variance + epsilon).squareRoot()
      for i in list { y[i] = (x[i] - mean) * inverse }
      return inverse
    }
    return (y, inverse)
  }

  /// Gradient of `normalize`: (d - mean(d) - y mean(d y)) inverse.
  static func normalizeGradient(
    _ d: [Double], y: [Double], inverse: [Double], over lists: [[Int]]
  ) -> [Double] {
    var dx = d
    for (list, inverse) in zip(lists, inverse) {
      let plain = list.reduce(0) { $0 + d[$1] } / Double(list.count)
      let product = list.reduce(0) { $0 + d[$1] * y[$1] } / Double(list.count)
      for i in list { dx[i] = inverse * (d[i] - plain - y[i] * product) }
    }
    return dx
  }

  /// x [rows, channels].
  package static func layerNorm(_ x: [Double], channels: Int, epsilon: Double) -> [Double] {
    normalize(x, over: rowLists(x.count, channels), epsilon: epsilon).y
  }

  package static func layerNormGradient(
    _ dy: [Double], x: [Double], channels: Int, epsilon: Double
  ) -> [Double] {
    let lists = rowLists(x.count, channels)
    let (y, inverse) = normalize(x, over: lists, epsilon: epsilon)
    return normalizeGradient(dy, y: y, inverse: inverse, over: lists)
  }

  private static func rowLists(_ count: Int, _ channels: Int) -> [[Int]] {
    (0..<count / channels).map { row in (0..<channels).map { row * channels + $0 } }
  }
}

/// Group norm by its definition; x [images, rows, channels].
package struct PlainGroupNorm: Sendable {
  package let images: Int, rows: Int, channels: Int, groups: Int
  package let swish: Bool
  package let epsilon: Double

  package init(
    images: Int, rows: Int, channels: Int, groups: Int, swish: Bool, epsilon: Double = 1e-6
  ) {
    (self.images, self.rows, self.channels) = (images, rows, channels)
    (self.groups, self.swish, self.epsilon) = (groups, swish, epsilon)
  }

  package func forward(_ x: [Double], gamma: [Double], beta: [Double]) -> [Double] {
    let xhat = Plain.normalize(x, over: lists, epsilon: epsilon).y
    return xhat.indices.map {
      let z = gamma[$0 % channels] * xhat[$0] + beta[$0 % channels]
      return swish ? Plain.silu(z) : z
    }
  }

  package func gradients(_ dy: [Double], x: [Double], gamma: [Double], beta: [Double]) -> (
    dx: [Double], dgamma: [Double], dbeta: [Double]
  ) {
    let (xhat, inverse) = Plain.normalize(x, over: lists, epsilon: epsilon)
    var (dgamma, dbeta) = (gamma.map { _ in 0.0 }, beta.map { _ in 0.0 })
    var d = dy
    for i in dy.indices {
      let c = i % channels
      if swish { d[i] *= Plain.siluSlope(gamma[c] * xhat[i] + beta[c]) }
      dbeta[c] += d[i]
      dgamma[c] += d[i] * xhat[i]
      d[i] *= gamma[c]
    }
    return (
      Plain.normalizeGradient(d, y: xhat, inverse: inverse, over: lists), dgamma, dbeta
    )
  }

  private var lists: [[Int]] {
    let width = channels / groups
    return (0..<images * groups).map { unit in
      let (image, group) = (unit / groups, unit % groups)
      return (0..<rows * width).map {
        (image * rows + $0 / width) * channels + group * width + $0 % width
      }
    }
  }
}
