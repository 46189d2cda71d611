import Autodiff
import TensorCore

/// Sinusoidal embedding of one scalar an image: [sin | cos] of x * period^(-i / (half - 1)).
///
/// Source: Vaswani et al., arXiv:1706.03762; the last frequency is exactly 1 / period, as in EDM.
/// Shapes: x [B] -> [B, width]. Computed in f64 without libm, rounded to f32.
public func positionalEmbedding(
  _ x: [Double], width: Int, period: Double = 10000, on engine: Engine
) -> Tensor {
  invariant(width % 2 == 0 && width >= 4, "positionalEmbedding: width \(width)")
  let half = width / 2
  let frequencies = (0..<half).map { PortableMath.pow(period, -Double($0) / Double(half - 1)) }
  var values: [Float] = []
  values.reserveCapacity(x.count * width)
  for scalar in x {
    let waves = frequencies.map { PortableMath.sinCos(scalar * $0) }
    values += waves.map { Float($0.sin) } + waves.map { Float($0.cos) }
  }
  return Tensor(values, [x.count, width], on: engine)
}

/// One row an image: `value` at the label's column, zero elsewhere; all zero where there is no label.
///
/// Shapes: labels [B] -> [B, classes].
public func oneHot(_ labels: [Int?], classes: Int, value: Float = 1, on engine: Engine) -> Tensor {
  let rows = Tensor(zeros: [labels.count, classes], on: engine)
  rows.withFloats { rows in
    for (image, label) in labels.enumerated() {
      guard let label else { continue }
      invariant(label >= 0 && label < classes, "oneHot: label \(label) of \(classes) classes")
      rows[image * classes + label] = value
    }
  }
  return rows
}
