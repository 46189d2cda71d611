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
  /// Writes a checkpoint's weights or one of its averages. The bytes depend only on names and
  /// weights.
  ///
  /// - Parameters:
  ///   - checkpoint: the source.
  ///   - vector: `VectorName.weights` or `VectorName.ema(...)`.
  ///   - url: the file to write.
  package static func export(
    _ checkpoint: CheckpointReader, vector: String, to url: URL
  ) throws {
    let table = checkpoint.manifest.table
    let entries = table.sortedByName
    guard checkpoint.manifest.vectors.contains(vector) else {
      throw CheckpointError.noSuchVector(
        path: checkpoint.path, vector: vector, present: checkpoint.manifest.vectors)
    }
    let writer = try SafetensorsWriter(
      url, entries.map { SafetensorsWriter.Announcement($0.name, .float32, $0.shape) },
      metadata: ["format": "pt"])
    let (memory, file) = buffers(for: table)
    defer {
      memory.deallocate()
      file.deallocate()
    }
    for entry in entries {
      try checkpoint.read(vector, entry.range, into: memory)
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
