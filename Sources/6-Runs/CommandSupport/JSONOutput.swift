import Foundation
import SystemSupport

/// Writes results for machines: to a file, or to standard output for `-`.
package func writeJSON(_ value: some Encodable, to path: String) throws {
  let encoder = JSONEncoder()
  encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
  encoder.nonConformingFloatEncodingStrategy = .convertToString(
    positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
  let data = try encoder.encode(value) + Data("\n".utf8)
  guard path != "-" else { return try StandardStreams.write(Array(data)) }
  try AtomicFile.write(data, to: path, durable: true)
}

/// Makes the folder of a file for `writeJSON`, so that a place that cannot be written to is told
/// before the work.
package func makeFolder(ofResults path: String?) throws {
  if let path, path != "-" { try FileOutput.makeFolder(ofFile: path) }
}
