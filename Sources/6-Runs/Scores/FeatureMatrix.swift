import TensorCore

/// Features in f32, one row per image.
package struct FeatureMatrix: Sendable, Equatable {
  /// Features per row.
  package let width: Int
  /// [count, width], row by row.
  package private(set) var values: [Float]

  /// Number of rows.
  package var count: Int { values.count / width }

  /// Takes the values row by row.
  package init(width: Int, values: [Float] = []) {
    invariant(
      width > 0 && values.count % width == 0,
      "FeatureMatrix: \(values.count) values in rows of \(width)")
    (self.width, self.values) = (width, values)
  }

  /// Appends rows of the same width.
  package mutating func append(_ rows: FeatureMatrix) {
    invariant(rows.width == width, "FeatureMatrix: rows of \(rows.width) to rows of \(width)")
    values += rows.values
  }
}
