/// A number for JSON, which has no infinity and no NaN: both are written as `null` and read as NaN.
@propertyWrapper
package struct FiniteOrNull: Codable, Equatable, Sendable {
  /// The number; NaN where `null` was read.
  package var wrappedValue: Double

  /// Wraps a number.
  package init(wrappedValue: Double) { self.wrappedValue = wrappedValue }

  package init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    wrappedValue = container.decodeNil() ? .nan : try container.decode(Double.self)
  }

  package func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    if wrappedValue.isFinite {
      try container.encode(wrappedValue)
    } else {
      try container.encodeNil()
    }
  }
}
