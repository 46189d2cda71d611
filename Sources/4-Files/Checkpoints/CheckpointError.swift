/// Why a checkpoint, or a file of weights, cannot be used. One case per condition; each description is one line that
/// names the file, what was found, what was expected and how to mend it.
package enum CheckpointError: Error, Equatable, Sendable {
  case modelMismatch(path: String, missing: [String], unexpected: [String], misshaped: [String])
  /// A tensor that is no parameter has not as many elements as it must.
  case constantShape(path: String, tensor: String, found: [Int], expected: Int)
  /// A tensor that is no parameter holds something else than it must; `index` counts row-major.
  case constantValue(path: String, tensor: String, index: Int, found: Double, expected: Double)
  /// A directory without `COMPLETE`: its save never ended.
  case incomplete(path: String)
  case manifestMissing(path: String)
  case manifestChecksum(path: String, found: String, expected: String)
  case manifestSyntax(path: String, reason: String)
  case manifestVersion(path: String, found: Int, supported: Int)
  /// A count below zero.
  case manifestCount(path: String, name: String, found: Int)
  /// The settings are not those whose digest the manifest holds.
  case configurationDigest(path: String, found: String, expected: String)
  case manifestTable(path: String, fault: String)
  case shardNames(path: String, found: String, expected: String)
  case shardTiling(path: String, found: Range<Int>, expected: Int)
  case shardMissing(path: String)
  case shardSize(path: String, found: Int, expected: Int)
  case shardChecksum(path: String, found: String, expected: String)
  case shardVector(path: String, vector: String, found: [Int], expected: [Int])
  case noSuchVector(path: String, vector: String, present: [String])
  /// Checkpoints exist and not one of them can be used.
  case noneGood(directory: String, reasons: [String])
  case statsRow(path: String, reason: String)
  /// Neither a checkpoint nor a run with checkpoints.
  case notACheckpoint(path: String)
}

extension CheckpointError: CustomStringConvertible {
  package var description: String {
    let other = Self.other
    return switch self {
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
    case .noneGood(let directory, let reasons):
      "\(directory): no checkpoint can be used: \(reasons.joined(separator: "; ")); "
        + "restore one, or start afresh in another run directory"
    case .statsRow(let path, let reason):
      "\(path): a row cannot be written as JSON: \(reason)"
    case .notACheckpoint(let path):
      "\(path): neither a checkpoint nor a run with checkpoints; expected RUN or"
        + " RUN/checkpoints/images-*"
    }
  }

  private static let other = "; use another checkpoint"

  /// The first few names, so that a file of another model still gives one readable line.
  private static func some(_ names: [String]) -> String {
    names.prefix(5).joined(separator: ", ")
      + (names.count > 5 ? " and \(names.count - 5) more" : "")
  }

  /// An error's description without the advice to use another checkpoint: for those that are passed over.
  package static func finding(_ error: any Error) -> String {
    let text = "\(error)"
    return text.hasSuffix(other) ? String(text.dropLast(other.count)) : text
  }
}
