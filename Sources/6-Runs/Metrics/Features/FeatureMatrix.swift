import TensorCore

/// Rows of features in f32, one an image.
package struct FeatureMatrix: Sendable, Equatable {
  /// Features a row.
  package let width: Int
  /// [count, width], row by row.
  package private(set) var values: [Float]

  package var count: Int { values.count / width }

  package init(width: Int, values: [Float] = []) {
    invariant(
      width > 0 && values.count % width == 0,
      "FeatureMatrix: \(values.count) values in rows of \(width)")
    (self.width, self.values) = (width, values)
  }

  package mutating func append(_ rows: FeatureMatrix) {
    invariant(rows.width == width, "FeatureMatrix: rows of \(rows.width) to rows of \(width)")
    values += rows.values
  }
}
