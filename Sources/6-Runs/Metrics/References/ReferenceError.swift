import Datasets

/// Why a file of reference statistics cannot be used. Each description is one line.
package enum ReferenceError: Error, Equatable {
  /// A mean that is no vector.
  case notVector(path: String, key: String, found: String)
  /// A covariance is not square, or not of its mean's width.
  case notSquare(path: String, key: String, found: String, width: Int)
  /// Elements that are infinite or not numbers.
  case nonFinite(path: String, key: String)
  /// A field about the file's origin has another type.
  case damagedField(path: String, key: String, found: String)
  /// Statistics of the features of another network.
  case otherNetwork(path: String, found: String, expected: String)
  /// Images were brought to the network's input in another way.
  case otherProtocol(path: String, found: String, expected: String)
  /// Rows of features have another width.
  case wrongWidth(path: String, key: String, found: Int, expected: Int)
}

extension ReferenceError: CustomStringConvertible {
  package var description: String {
    switch self {
    case .notVector(let path, let key, let found):
      "\(key) in \(path) is no mean: expected a vector of numbers, found \(found)"
        + "; make the reference again"
    case .notSquare(let path, let key, let found, let width):
      "\(key) in \(path) is no covariance: expected [\(width), \(width)], found \(found)"
        + "; make the reference again"
    case .nonFinite(let path, let key):
      "\(key) in \(path) has infinite numbers or NaN; make the reference again"
    case .damagedField(let path, let key, let found):
      "\(key) in \(path) cannot be read: found \(found); make the reference again"
    case .otherNetwork(let path, let found, let expected):
      "reference of another feature network: \(path) was made by \(found), features are of"
        + " \(expected); make it with diffit data stats, or choose --features"
    case .otherProtocol(let path, let found, let expected):
      "reference of another protocol: \(path) was made with \(found), features with \(expected)"
        + "; make it again, or choose --protocol"
    case .wrongWidth(let path, let key, let found, let expected):
      "\(key) in \(path) has \(found) features, the network makes \(expected)"
        + "; make the reference again with this network"
    }
  }
}
