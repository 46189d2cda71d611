import Autodiff
import TensorCore

/// The sinusoidal embedding of one number per image, such as a timestep: sines and cosines of x f_i
/// with the frequencies f_i = period^(-i / steps).
///
/// Source: Vaswani et al., arXiv:1706.03762.
///
/// ```swift
/// import NeuralNetworks
/// import TensorCore
///
/// let embedding = PositionalEmbedding.adm([0, 250, 999], width: 256, on: ComputeContext())
/// print(embedding.shape)  // [3, 256]
/// ```
public enum PositionalEmbedding: Sendable {
  /// [sin | cos], with steps = width / 2 - 1 so that the last frequency is exactly 1 / period, as
  /// in EDM's networks.
  case edm
  /// [cos | sin], with steps = width / 2, as in ADM and its descendants.
  case adm

  /// The embedding of each number: x [B] -> [B, width]. It is computed in f64 without the C
  /// library's functions, and rounded to f32.
  ///
  /// - Parameters:
  ///   - x: one number per image.
  ///   - width: an even number of at least 4.
  ///   - period: the ratio of the highest to the lowest frequency.
  ///   - context: what the result is for.
  public func callAsFunction(
    _ x: [Double], width: Int, period: Double = 10000, on context: ComputeContext
  ) -> Tensor {
    invariant(width % 2 == 0 && width >= 4, "positionalEmbedding: width \(width)")
    let half = width / 2
    let steps = Double(self == .edm ? half - 1 : half)
    let frequencies = (0..<half).map { PortableMath.pow(period, -Double($0) / steps) }
    var values: [Float] = []
    values.reserveCapacity(x.count * width)
    for scalar in x {
      let waves = frequencies.map { PortableMath.sinCos(scalar * $0) }
      let (sines, cosines) = (waves.map { Float($0.sin) }, waves.map { Float($0.cos) })
      values += self == .edm ? sines + cosines : cosines + sines
    }
    return Tensor(values, [x.count, width], on: context)
  }
}

/// A fixed table of positions on a square grid, [side * side, width]. The first half of a row
/// encodes the column, the second half the row of the grid, each as [sin | cos] with the
/// frequencies 10000^(-i / (width / 4)).
///
/// Source: the two-dimensional form of Vaswani et al. that masked autoencoders use,
/// arXiv:2111.06377.
///
/// - Parameters:
///   - side: side of the grid, in tokens.
///   - width: a multiple of 4.
///   - context: what the result is for.
public func positionTable(side: Int, width: Int, on context: ComputeContext) -> Tensor {
  invariant(width % 4 == 0 && side > 0, "positionTable: side \(side), width \(width)")
  let quarter = width / 4
  let frequencies = (0..<quarter).map {
    PortableMath.pow(10000, -Double($0) / Double(quarter))
  }
  let rows = (0..<side).map { index in
    let waves = frequencies.map { PortableMath.sinCos(Double(index) * $0) }
    return waves.map { Float($0.sin) } + waves.map { Float($0.cos) }
  }
  var values: [Float] = []
  values.reserveCapacity(side * side * width)
  for row in 0..<side {
    for column in 0..<side { values += rows[column] + rows[row] }
  }
  return Tensor(values, [side * side, width], on: context)
}

/// One row per image: `value` in the column of its label and zero elsewhere, or all zero if it has
/// no label.
///
/// Shapes: labels [B] -> [B, classes], f32.
public func oneHot(_ labels: [Int?], classes: Int, value: Float = 1, on context: ComputeContext)
  -> Tensor
{
  let rows = Tensor(zeros: [labels.count, classes], on: context)
  rows.withFloats { rows in
    for (image, label) in labels.enumerated() {
      guard let label else { continue }
      invariant(label >= 0 && label < classes, "oneHot: label \(label) of \(classes) classes")
      rows[image * classes + label] = value
    }
  }
  return rows
}
