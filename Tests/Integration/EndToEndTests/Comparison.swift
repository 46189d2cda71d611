import FileFormats
import Foundation
import Reporting
import Testing
import Training

/// max |a - b| / max |b|
func relativeError(_ a: [Float], _ b: [Float]) -> Double {
  guard a.count == b.count else { return .infinity }
  let difference = zip(a, b).map { Double(abs($0 - $1)) }.max() ?? 0
  let scale = Double(b.map(abs).max() ?? 0)
  return scale > 0 ? difference / scale : difference
}

/// The part of a row that is a function of configuration and images seen: all but times and memory.
struct Learning: Equatable {
  let images: Int
  let loss: Double
  let gradient: Double
  let rate: Double
  let skipped: Int
  let losses: [Double]

  init(_ row: StatsRow) {
    (images, loss, gradient) = (row.images, row.loss, row.gradNorm)
    (rate, skipped) = (row.lr, row.skipped)
    losses = row.lossByNoiseLevel.map { $0.images > 0 ? $0.loss : 0 }
  }
}

/// Expects the same rows, losses and gradient norms within rounding.
func expectSameLosses(
  _ run: RunFolder, _ reference: RunFolder, at location: SourceLocation = #_sourceLocation
) throws {
  let (rows, expected) = (try run.rows, try reference.rows)
  #expect(rows.map(\.images) == expected.map(\.images), sourceLocation: location)
  #expect(rows.map(\.lr) == expected.map(\.lr), sourceLocation: location)
  for (row, other) in zip(rows, expected) {
    #expect(
      abs(row.loss - other.loss) <= 1e-5 * other.loss,
      "loss at \(row.images): \(row.loss) against \(other.loss)", sourceLocation: location)
    #expect(
      abs(row.gradNorm - other.gradNorm) <= 1e-4 * other.gradNorm,
      "gradient at \(row.images): \(row.gradNorm) against \(other.gradNorm)",
      sourceLocation: location)
  }
}

/// Expects the same bits: rows, the whole state at `images`, and exported files.
func expectSameBits(
  _ run: RunFolder, _ reference: RunFolder, images: Int,
  at location: SourceLocation = #_sourceLocation
) throws {
  try expectSameState(run, reference, images: images, at: location)
  for ema in [nil, "ema"] {
    #expect(try run.export(ema: ema) == reference.export(ema: ema), sourceLocation: location)
  }
}

/// Expects what two runs learned, and the state they have come to, to be the same bit for bit.
func expectSameState(
  _ run: RunFolder, _ reference: RunFolder, images: Int,
  at location: SourceLocation = #_sourceLocation
) throws {
  #expect(
    try run.rows.map(Learning.init) == reference.rows.map(Learning.init), sourceLocation: location)
  let (state, expected) = (try run.state(images), try reference.state(images))
  #expect(expected.keys.sorted() == ["adam.m", "adam.v", "ema.ema", "weights"])
  for (name, values) in expected {
    let isSame = state[name].map { $0.map(\.bitPattern) == values.map(\.bitPattern) } ?? false
    #expect(isSame, "\(name) differs", sourceLocation: location)
  }
}

/// Expects the weights of two runs to agree within what rounding can do.
///
/// The exception is what a key gets added whatever the image shows: the middle third of the bias of qkv,
/// and of qkv_temb. It adds the same number to all scores of a query, which softmax does not see, so its
/// true gradient is zero; what is left is rounding, and Adam, which divides a gradient by its own size,
/// makes full steps of it.
func expectSameWeights(
  _ file: SafetensorsFile, _ reference: SafetensorsFile,
  at location: SourceLocation = #_sourceLocation
) throws {
  #expect(file.entries.map(\.name) == reference.entries.map(\.name), sourceLocation: location)
  for entry in reference.entries {
    var (a, b) = (try file.floats(entry.name), try reference.floats(entry.name))
    if entry.name.hasSuffix("qkv.bias") || entry.name.contains("qkv_temb") {
      let keys = a.count / 3..<2 * a.count / 3
      a.removeSubrange(keys)
      b.removeSubrange(keys)
    }
    let error = relativeError(a, b)
    #expect(error <= 1e-4, "\(entry.name): \(error)", sourceLocation: location)
  }
}
