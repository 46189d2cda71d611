import FileFormats
import Foundation
import TensorCore

/// Safetensors files of one network: named tensors in PyTorch's layouts, without training state.
///
/// ```swift
/// import Checkpoints
/// import Foundation
///
/// let run = URL(fileURLWithPath: "runs/demo/checkpoints/images-000001024000")
/// try ModelFile.export(
///   CheckpointReader(run, verifying: true), vector: VectorName.ema("default"),
///   to: URL(fileURLWithPath: "model.safetensors"))
/// ```
package enum ModelFile {
  /// Writes a checkpoint's weights or one of its averages. The bytes depend only on names, weights
  /// and metadata.
  ///
  /// - Parameters:
  ///   - checkpoint: the source.
  ///   - vector: `VectorName.weights` or `VectorName.ema(...)`.
  ///   - table: the parameters to write; nil: all of the checkpoint.
  ///   - url: the file to write.
  ///   - metadata: text by key; by default what PyTorch's readers expect.
  package static func export(
    _ checkpoint: CheckpointReader, vector: String, of table: ParameterTable? = nil, to url: URL,
    metadata: [String: String] = ["format": "pt"]
  ) throws {
    guard checkpoint.manifest.vectors.contains(vector) else {
      throw CheckpointError.noSuchVector(
        path: checkpoint.path, vector: vector, present: checkpoint.manifest.vectors)
    }
    try write(table ?? checkpoint.manifest.table, to: url, metadata: metadata) {
      try checkpoint.read(vector, $0, into: $1)
    }
  }

  /// Writes flat weights that are in memory.
  ///
  /// - Parameters:
  ///   - flat: f32, of the table's `flatCount`.
  ///   - table: the parameters in it.
  ///   - url: the file to write.
  ///   - metadata: text by key; by default what PyTorch's readers expect.
  package static func export(
    _ flat: Tensor, _ table: ParameterTable, to url: URL,
    metadata: [String: String] = ["format": "pt"]
  ) throws {
    try write(table, to: url, metadata: metadata) { range, values in
      flat.withFloats { values.update(from: $0 + range.lowerBound, count: range.count) }
    }
  }

  /// Writes named tensors.
  ///
  /// - Parameters:
  ///   - table: the parameters in a flat vector.
  ///   - url: the file to write.
  ///   - metadata: text by key.
  ///   - read: reads a range of the flat vector, f32 in memory's layout.
  package static func write(
    _ table: ParameterTable, to url: URL, metadata: [String: String],
    read: (_ range: Range<Int>, _ values: Floats) throws -> Void
  ) throws {
    let entries = table.sortedByName
    let writer = try SafetensorsWriter(
      url, entries.map { SafetensorsWriter.Announcement($0.name, .float32, $0.shape) },
      metadata: metadata)
    let (memory, file) = buffers(for: table)
    defer {
      memory.deallocate()
      file.deallocate()
    }
    for entry in entries {
      try read(entry.range, memory)
      entry.layout.toFile(memory, file, shape: entry.shape)
      try writer.write(UnsafeRawBufferPointer(start: file, count: entry.count * 4))
    }
    try writer.finish()
  }

  /// Reads weights into the flat buffer of a model, in place. Names and shapes must be exactly
  /// those of the model, which is checked before anything is written. Gaps between parameters keep
  /// their values.
  ///
  /// - Parameters:
  ///   - url: the file.
  ///   - table: the model's parameters.
  ///   - prefix: what precedes the model's names in the file (`param.` in goldens); tensors without
  ///     it are ignored.
  ///   - foreign: other names that the file may use, and other tensors that it may contain.
  ///   - flat: f32, of the table's `flatCount`. F64, F16 and BF16 files are converted.
  /// - Throws: `CheckpointError.modelMismatch` with the names that are missing, unexpected or of
  ///   another shape; `CheckpointError.notFinite` for weights that are infinite or not numbers.
  package static func load(
    _ url: URL, _ table: ParameterTable, prefix: String = "",
    allowing foreign: StateDictAdapter = StateDictAdapter(), into flat: Tensor
  ) throws {
    try load(SafetensorsFile(url), table, prefix: prefix, allowing: foreign, into: flat)
  }

  /// Reads weights from a file that is already open; otherwise the same.
  package static func load(
    _ file: SafetensorsFile, _ table: ParameterTable, prefix: String = "",
    allowing foreign: StateDictAdapter = StateDictAdapter(), into flat: Tensor
  ) throws {
    invariant(
      flat.count == table.flatCount,
      "ModelFile.load: \(flat.shape) for \(table.flatCount) elements")
    try check(file, table, prefix: prefix, foreign)
    let (memory, values) = buffers(for: table)
    defer {
      memory.deallocate()
      values.deallocate()
    }
    for entry in table.entries {
      let name = foreign.name(of: entry.name, in: file, prefix: prefix)
      try file.readFloats(name, 0..<entry.count, into: values)
      if let index = firstNotFinite(UnsafeBufferPointer(start: values, count: entry.count)) {
        throw CheckpointError.notFinite(
          path: file.path, tensor: name, index: index, found: values[index])
      }
      flat.withFloats {
        entry.layout.toMemory(values, $0 + entry.offset, shape: entry.shape)
      }
    }
  }

  /// Throws if the file's tensors are not those of the table, without reading their values.
  package static func check(
    _ url: URL, _ table: ParameterTable, allowing foreign: StateDictAdapter = StateDictAdapter()
  ) throws {
    try check(SafetensorsFile(url), table, prefix: "", foreign)
  }

  private static func check(
    _ file: SafetensorsFile, _ table: ParameterTable, prefix: String, _ foreign: StateDictAdapter
  ) throws {
    var (missing, misshaped): ([String], [String]) = ([], [])
    func name(_ entry: ParameterEntry) -> String {
      foreign.name(of: entry.name, in: file, prefix: prefix)
    }
    for entry in table.sortedByName {
      guard let found = file[name(entry)] else {
        missing.append(entry.name)
        continue
      }
      if found.shape != entry.shape {
        misshaped.append("\(entry.name) \(found.shape) where \(entry.shape) is expected")
      }
    }
    let expected = Set(table.entries.map(name) + foreign.constants.keys.map { prefix + $0 })
    let unexpected = file.entries.map(\.name)
      .filter { $0.hasPrefix(prefix) && !expected.contains($0) }.sorted()
    guard missing.isEmpty && unexpected.isEmpty && misshaped.isEmpty else {
      throw CheckpointError.modelMismatch(
        path: file.path, missing: missing, unexpected: unexpected, misshaped: misshaped)
    }
    for entry in table.entries {
      let found = try file.entry(name(entry))
      guard found.dtype.isFloatingPoint else {
        throw SafetensorsError.tensorType(
          path: file.path, tensor: found.name, found: found.dtype,
          expected: "F32, F64, F16 or BF16")
      }
    }
    try foreign.checkConstants(in: file, prefix: prefix)
  }

  /// Two buffers for the largest parameter.
  private static func buffers(for table: ParameterTable) -> (Floats, Floats) {
    let count = max(table.entries.map(\.count).max() ?? 0, 1)
    return (Floats.allocate(capacity: count), Floats.allocate(capacity: count))
  }
}
