import SystemSupport
/// Why a checkpoint, or a file of weights, cannot be used. There is one case per condition. Each
/// description is one line that names the file, what was found, what was expected and what to do.
package enum CheckpointError: Error, Equatable, Sendable {
  /// The names or shapes in a file of weights are not those of the model.
  case modelMismatch(path: String, missing: [String], unexpected: [String], misshaped: [String])
  /// A tensor that is not a parameter has a wrong number of elements.
  case constantShape(path: String, tensor: String, found: [Int], expected: Int)
  /// A tensor that is not a parameter has a wrong value; `index` is the element's row-major index.
  case constantValue(path: String, tensor: String, index: Int, found: Double, expected: Double)
  /// A weight is infinite or not a number; `index` is the element's row-major index.
  case notFinite(path: String, tensor: String, index: Int, found: Float)
  /// The directory has no file `COMPLETE`: its save never ended.
  case incomplete(path: String)
  /// There is no manifest.
  case manifestMissing(path: String)
  /// The manifest's checksum differs from that in `COMPLETE`.
  case manifestChecksum(path: String, found: String, expected: String)
  /// The manifest is not JSON, or lacks members.
  case manifestSyntax(path: String, reason: String)
  /// Another version of the format.
  case manifestVersion(path: String, found: Int, supported: Int)
  /// A count in the manifest is negative, or larger than any run's.
  case manifestCount(path: String, name: String, found: String, largest: Int)
  /// The digest of the manifest's settings differs from the one that it contains.
  case configurationDigest(path: String, found: String, expected: String)
  /// The manifest's table of parameters contradicts itself.
  case manifestTable(path: String, fault: String)
  /// The manifest does not list exactly one shard per rank.
  case shardNames(path: String, found: String, expected: String)
  /// The shards' ranges overlap or leave a gap; `expected` is the first element that is not
  /// covered.
  case shardTiling(path: String, found: Range<Int>, expected: Int)
  /// A shard's file does not exist.
  case shardMissing(path: String)
  /// A shard's file has a wrong number of bytes.
  case shardSize(path: String, found: Int, expected: Int)
  /// A shard's file has a wrong checksum.
  case shardChecksum(path: String, found: String, expected: String)
  /// A vector in a shard has a wrong shape.
  case shardVector(path: String, vector: String, found: [Int], expected: [Int])
  /// The checkpoint has no vector of this name.
  case noSuchVector(path: String, vector: String, present: [String])
  /// Checkpoints exist, but none of them can be used.
  case noneGood(directory: String, reasons: [String])
  /// A row of `stats.jsonl` cannot be written as JSON.
  case statsRow(path: String, reason: String)
  /// Neither a checkpoint nor a run with checkpoints.
  case notACheckpoint(path: String)
}

extension CheckpointError: CustomStringConvertible {
  /// The error as one line.
  package var description: String { Format.line(text) }

  private var text: String {
    let other = Self.other
    return switch self {
    case .modelMismatch(let path, let missing, let unexpected, let misshaped):
      "\(path): not the weights of this model: "
        + [("missing", missing), ("unexpected", unexpected), ("other shape", misshaped)]
        .filter { !$0.1.isEmpty }
        .map { "\($0.0) (\($0.1.count)): \(Self.some($0.1))" }
        .joined(separator: "; ") + "; use a file of the configured model"
    case .constantShape(let path, let tensor, let found, let expected):
      "\(path): tensor \(tensor) has shape \(found), expected \(expected) elements for this model;"
        + " use a file of the configured model"
    case .constantValue(let path, let tensor, let index, let found, let expected):
      "\(path): tensor \(tensor) is not that of this model: element \(index) is \(found), expected"
        + " \(expected); use a file of the configured model"
    case .notFinite(let path, let tensor, let index, let found):
      "\(path): tensor \(tensor) is not finite: element \(index) is \(found); use weights from before"
        + " the training diverged"
    case .incomplete(let path):
      "\(path): no COMPLETE file, so the save did not end\(other)"
    case .manifestMissing(let path):
      "\(path): missing, although the file COMPLETE says that it was written\(other)"
    case .manifestChecksum(let path, let found, let expected):
      "\(path): damaged: checksum \(found), COMPLETE says \(expected)\(other)"
    case .manifestSyntax(let path, let reason):
      "\(path): not a checkpoint manifest: \(reason)\(other)"
    case .manifestVersion(let path, let found, let supported):
      "\(path): format version \(found), this build reads \(supported); use the build that wrote it"
    case .manifestCount(let path, let name, let found, let largest):
      "\(path): \(name) is \(found), expected 0 to \(largest)\(other)"
    case .configurationDigest(let path, let found, let expected):
      "\(path): its settings have the digest \(found), expected \(expected)\(other)"
    case .manifestTable(let path, let fault):
      "\(path): bad tensor table: \(fault)\(other)"
    case .shardNames(let path, let found, let expected):
      "\(path): shards \(found), expected \(expected)\(other)"
    case .shardTiling(let path, let found, let expected):
      "\(path): a shard covers elements \(found.lowerBound)..<\(found.upperBound), expected one that"
        + " begins at \(expected)\(other)"
    case .shardMissing(let path):
      "\(path): missing, although the manifest lists it; "
        + "check that all ranks see the same directory, or use another checkpoint"
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
        + "restore one, or start from scratch in another run directory"
    case .statsRow(let path, let reason):
      "\(path): a row cannot be written as JSON: \(reason)"
    case .notACheckpoint(let path):
      "\(path): neither a checkpoint nor a run with checkpoints; expected RUN or"
        + " RUN/checkpoints/images-*"
    }
  }

  private static let other = "; use another checkpoint"

  /// Only the first few names, so that a file of another model still gives one readable line.
  private static func some(_ names: [String]) -> String {
    names.prefix(5).joined(separator: ", ")
      + (names.count > 5 ? " and \(names.count - 5) more" : "")
  }

  /// The description of an error without the advice to use another checkpoint, for checkpoints that
  /// are skipped.
  package static func finding(_ error: any Error) -> String {
    let text = "\(error)"
    return text.hasSuffix(other) ? String(text.dropLast(other.count)) : text
  }
}
