import SystemSupport
/// Why a file is not a safetensors file, or lacks a tensor. One case per condition; each
/// description is one line that names the file, what was found, what was expected and how to mend
/// it.
package enum SafetensorsError: Error, Equatable, Sendable {
  /// The file has fewer than the 8 bytes of the header's length.
  case shortFile(path: String, size: Int)
  /// The header claims to be longer than the format allows.
  case headerLimit(path: String, length: UInt64)
  /// The header claims to be longer than the file.
  case headerBeyondFile(path: String, length: Int, size: Int)
  /// The header is not UTF-8.
  case headerEncoding(path: String)
  /// The header is not the JSON that the format asks for; `offset` counts its bytes.
  case headerSyntax(path: String, offset: Int, expected: String)
  /// A key is there twice.
  case duplicateKey(path: String, key: String)
  /// A tensor has a field that the format does not know.
  case unknownField(path: String, tensor: String, field: String)
  /// A tensor lacks its type, its shape or its place.
  case missingField(path: String, tensor: String, field: String)
  /// A tensor has an element type that is not read.
  case unknownDType(path: String, tensor: String, dtype: String)
  /// A tensor would have more bytes than an `Int` counts.
  case shapeOverflow(path: String, tensor: String, shape: [Int])
  /// A tensor ends before it begins.
  case reversedRange(path: String, tensor: String, begin: Int, end: Int)
  /// A tensor's place and its shape are of different sizes.
  case tensorSize(path: String, tensor: String, found: Int, expected: Int)
  /// Bytes between two tensors belong to none.
  case hole(path: String, tensor: String, begin: Int, expected: Int)
  /// A tensor begins inside another.
  case overlap(path: String, tensor: String, begin: Int, expected: Int)
  /// The file ends before the last tensor, or goes on behind it.
  case dataSize(path: String, found: Int, expected: Int)
  /// The index of a network in several files cannot be used.
  case index(path: String, reason: String)
  /// The file has no tensor of this name.
  case noSuchTensor(path: String, tensor: String)
  /// A tensor has another element type than its reader takes.
  case tensorType(path: String, tensor: String, found: SafetensorsDType, expected: String)
}

extension SafetensorsError: CustomStringConvertible {
  package var description: String { Format.line(text) }

  private var text: String {
    let again = "; write or download the file again"
    return switch self {
    case .shortFile(let path, let size):
      "\(path): not a safetensors file: \(size) bytes, expected at least 8\(again)"
    case .headerLimit(let path, let length):
      "\(path): not a safetensors file: its header claims \(length) bytes, "
        + "expected at most \(SafetensorsHeader.limit)\(again)"
    case .headerBeyondFile(let path, let length, let size):
      "\(path): header of \(length) bytes does not fit into the file's \(size) bytes\(again)"
    case .headerEncoding(let path):
      "\(path): the header is not UTF-8\(again)"
    case .headerSyntax(let path, let offset, let expected):
      "\(path): bad header at byte \(offset): expected \(expected)\(again)"
    case .duplicateKey(let path, let key):
      "\(path): the header has the key \"\(key)\" twice; expected every key once\(again)"
    case .unknownField(let path, let tensor, let field):
      "\(path): tensor \(tensor) has a field \"\(field)\"; "
        + "expected dtype, shape and data_offsets only\(again)"
    case .missingField(let path, let tensor, let field):
      "\(path): tensor \(tensor) has no field \"\(field)\"\(again)"
    case .unknownDType(let path, let tensor, let dtype):
      "\(path): tensor \(tensor) has dtype \"\(dtype)\"; expected one of "
        + SafetensorsDType.allCases.map(\.rawValue).joined(separator: ", ") + "; convert it"
    case .shapeOverflow(let path, let tensor, let shape):
      "\(path): tensor \(tensor) of shape \(shape) is larger than any file\(again)"
    case .reversedRange(let path, let tensor, let begin, let end):
      "\(path): tensor \(tensor) ends at byte \(end), before its begin \(begin)\(again)"
    case .tensorSize(let path, let tensor, let found, let expected):
      "\(path): tensor \(tensor) spans \(found) bytes, its shape needs \(expected)\(again)"
    case .hole(let path, let tensor, let begin, let expected):
      "\(path): tensor \(tensor) begins at byte \(begin), leaving unused bytes from "
        + "\(expected) on\(again)"
    case .overlap(let path, let tensor, let begin, let expected):
      "\(path): tensor \(tensor) begins at byte \(begin), inside another that ends at "
        + "\(expected)\(again)"
    case .dataSize(let path, let found, let expected):
      "\(path): \(found) bytes of tensor data, the header describes \(expected): "
        + "\(found < expected ? "truncated" : "something follows the tensors")\(again)"
    case .index(let path, let reason):
      "\(path): not an index of safetensors files: \(reason)\(again)"
    case .noSuchTensor(let path, let tensor):
      "\(path): no tensor \(tensor) in the file; diffit inspect lists what it holds"
    case .tensorType(let path, let tensor, let found, let expected):
      "\(path): tensor \(tensor) has dtype \(found.rawValue), expected \(expected); convert it"
    }
  }
}
