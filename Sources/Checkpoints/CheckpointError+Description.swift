import Foundation

extension CheckpointError: CustomStringConvertible {
  public var description: String {
    let again = "; write or download the file again"
    let other = Self.other
    return switch self {
    case .system(let operation, let path, let code):
      "\(path): cannot \(operation): \(String(cString: strerror(code)))\(Self.advice(code))"
    case .shrank(let path, let expected):
      "\(path): ends before byte \(expected), although it was that long when opened; "
        + "is something else writing it?"
    case .modelMismatch(let path, let missing, let unexpected, let misshaped):
      "\(path): not the weights of this model: "
        + [("missing", missing), ("unexpected", unexpected), ("other shape", misshaped)]
        .filter { !$0.1.isEmpty }
        .map { "\($0.0) (\($0.1.count)): \(Self.some($0.1))" }
        .joined(separator: "; ") + "; use a file of the configured model"
    case .constantShape(let path, let tensor, let found, let expected):
      "\(path): tensor \(tensor) has shape \(found), this model's has \(expected) elements;"
        + " use a file of the configured model"
    case .constantValue(let path, let tensor, let index, let found, let expected):
      "\(path): tensor \(tensor) is not that of this model: element \(index) is \(found), expected"
        + " \(expected); use a file of the configured model"
    case .noneGood(let directory, let reasons):
      "\(directory): no checkpoint can be used: \(reasons.joined(separator: "; ")); "
        + "restore one, or start afresh in another run directory"
    case .runLocked(let directory, let holder):
      "\(directory): another job uses this folder (\(holder)); wait for it to end, or choose another"
        + " (--run of train, --out of sample)"
    case .statsRow(let path, let reason):
      "\(path): a row cannot be written as JSON: \(reason)"
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
    case .noSuchTensor(let path, let tensor):
      "\(path): no tensor \(tensor) in the file; diffit inspect lists what it holds"
    case .tensorType(let path, let tensor, let found, let expected):
      "\(path): tensor \(tensor) has dtype \(found.rawValue), expected \(expected); convert it"
    case .incomplete(let path):
      "\(path): no COMPLETE file: the save did not end\(other)"
    case .manifestMissing(let path):
      "\(path): missing, although COMPLETE vouches for it\(other)"
    case .manifestChecksum(let path, let found, let expected):
      "\(path): damaged: checksum \(found), COMPLETE says \(expected)\(other)"
    case .manifestSyntax(let path, let reason):
      "\(path): not a checkpoint manifest: \(reason)\(other)"
    case .manifestVersion(let path, let found, let supported):
      "\(path): format version \(found), this build reads \(supported); use the build that wrote it"
    case .manifestCount(let path, let name, let found):
      "\(path): \(name) is \(found), expected 0 or more\(other)"
    case .configurationDigest(let path, let found, let expected):
      "\(path): its settings have the digest \(found), expected \(expected)\(other)"
    case .manifestTable(let path, let fault):
      "\(path): bad tensor table: \(fault)\(other)"
    case .shardNames(let path, let found, let expected):
      "\(path): shards \(found), expected \(expected)\(other)"
    case .shardTiling(let path, let found, let expected):
      "\(path): a shard covers \(found.lowerBound)..<\(found.upperBound) where one from "
        + "\(expected) on is expected\(other)"
    case .shardMissing(let path):
      "\(path): missing, although the manifest lists it; "
        + "do all ranks see the same directory? Else use another checkpoint"
    case .shardSize(let path, let found, let expected):
      "\(path): \(found) bytes, the manifest says \(expected)\(other)"
    case .shardChecksum(let path, let found, let expected):
      "\(path): damaged: checksum \(found), the manifest says \(expected)\(other)"
    case .shardVector(let path, let vector, let found, let expected):
      "\(path): vector \(vector) has shape \(found), the manifest says \(expected)\(other)"
    case .noSuchVector(let path, let vector, let present):
      "\(path): no vector \(vector), only \(present.joined(separator: ", ")); "
        + "name one of these"
    }
  }

  private static let other = "; use another checkpoint"

  /// The description without the advice to use another checkpoint: for those that are passed over.
  public var finding: String {
    description.hasSuffix(Self.other) ? String(description.dropLast(Self.other.count)) : description
  }

  private static func advice(_ code: Int32) -> String {
    switch code {
    case ENOSPC, EDQUOT: "; free some space, or lower checkpoint.keep"
    case EACCES, EPERM, EROFS: "; choose a place that this user may write to and read from"
    case ENOENT: "; check the path"
    case ENOTDIR: "; a part of the path is a file: choose another path"
    default: ""
    }
  }

  /// The first few names, so that a file of another model still gives one readable line.
  private static func some(_ names: [String]) -> String {
    names.prefix(5).joined(separator: ", ")
      + (names.count > 5 ? " and \(names.count - 5) more" : "")
  }
}
