import Foundation

extension DecodingError {
  /// What is wrong with a JSON file that did not decode, as part of one line: `batch is missing`,
  /// `labels[0] has another type than expected`, `precision has an unknown value`, `not JSON`.
  ///
  /// - Parameter error: what a `JSONDecoder` threw. What is no `DecodingError` describes itself.
  package static func oneLine(of error: any Error) -> String {
    func name(_ path: [any CodingKey]) -> String {
      path.reduce("") { parents, key in
        if let index = key.intValue { return "\(parents)[\(index)]" }
        return parents.isEmpty ? key.stringValue : "\(parents).\(key.stringValue)"
      }
    }
    switch error {
    case DecodingError.keyNotFound(let key, let context):
      return "\(name(context.codingPath + [key])) is missing"
    case DecodingError.typeMismatch(_, let context), DecodingError.valueNotFound(_, let context):
      let place = name(context.codingPath)
      return (place.isEmpty ? "the file" : place) + " has another type than expected"
    case DecodingError.dataCorrupted(let context) where !context.codingPath.isEmpty:
      return "\(name(context.codingPath)) has an unknown value"
    case is DecodingError: return "not JSON"
    default: return "\(error)".replacing("\n", with: " ")
    }
  }
}
