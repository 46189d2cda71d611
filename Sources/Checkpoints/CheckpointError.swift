/// Everything that can be wrong with a file of this target. One case a condition; `description` is one
/// line that names the file, what was found, what was expected and how to mend it.
public enum CheckpointError: Error, Equatable, Sendable {
  // The operating system.
  /// A system call failed; `code` is its errno.
  case system(operation: String, path: String, code: Int32)
  /// A file ended while it was read: something shortened it meanwhile.
  case shrank(path: String, expected: Int)

  // Safetensors files.
  case shortFile(path: String, size: Int)
  case headerLimit(path: String, length: UInt64)
  case headerBeyondFile(path: String, length: Int, size: Int)
  case headerEncoding(path: String)
  case headerSyntax(path: String, offset: Int, expected: String)
  case duplicateKey(path: String, key: String)
  case unknownField(path: String, tensor: String, field: String)
  case missingField(path: String, tensor: String, field: String)
  case unknownDType(path: String, tensor: String, dtype: String)
  case shapeOverflow(path: String, tensor: String, shape: [Int])
  case reversedRange(path: String, tensor: String, begin: Int, end: Int)
  case tensorSize(path: String, tensor: String, found: Int, expected: Int)
  case hole(path: String, tensor: String, begin: Int, expected: Int)
  case overlap(path: String, tensor: String, begin: Int, expected: Int)
  case dataSize(path: String, found: Int, expected: Int)
  case noSuchTensor(path: String, tensor: String)
  case tensorType(path: String, tensor: String, found: SafetensorsDType, expected: String)

  // Models.
  case modelMismatch(path: String, missing: [String], unexpected: [String], misshaped: [String])
  /// A tensor that is no parameter has not as many elements as it must.
  case constantShape(path: String, tensor: String, found: [Int], expected: Int)
  /// A tensor that is no parameter holds something else than it must; `index` counts row-major.
  case constantValue(path: String, tensor: String, index: Int, found: Double, expected: Double)

  // Checkpoints.
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

  // The run directory.
  case runLocked(directory: String, holder: String)
  case statsRow(path: String, reason: String)
}
