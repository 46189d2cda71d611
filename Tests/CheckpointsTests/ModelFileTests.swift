import Checkpoints
import ErrorSupport
import FileFormats
import FixtureSupport
import Foundation
import TensorCore
import Testing

@Suite struct ModelFileTests {
  let scratch: TemporaryFolder
  let run: Run

  init() throws {
    scratch = try TemporaryFolder()
    run = Run(scratch)
  }

  func model(_ name: String, _ tensors: [(String, [Int])], dtype: SafetensorsDType = .float32)
    throws -> URL
  {
    let url = scratch.file(name)
    let writer = try SafetensorsWriter(url, tensors.map { .init($0.0, dtype, $0.1) })
    for (_, shape) in tensors {
      let bytes = [UInt8](repeating: 0, count: shape.reduce(dtype.size, *))
      try bytes.withUnsafeBytes { try writer.write($0) }
    }
    try writer.finish()
    return url
  }

  @Test func exportHasPyTorchLayouts() throws {
    let checkpoint = try CheckpointReader(run.save(0), verifying: false)
    let url = scratch.file("model.safetensors")
    try ModelFile.export(checkpoint, vector: "weights", to: url)
    let file = try SafetensorsFile(url)
    #expect(file.entries.map(\.name) == ["a.bias", "z.weight"])
    #expect(file.metadata == ["format": "pt"])
    #expect(file["z.weight"]?.shape == [3, 2])
    let flat = run.values("weights", images: 0)
    // Memory [in 2, out 3]: rows of the file are columns of memory.
    #expect(
      try file.floats("z.weight") == [flat[0], flat[3], flat[1], flat[4], flat[2], flat[5]])
    #expect(try file.floats("a.bias") == Array(flat[8..<11]))
    try ModelFile.export(checkpoint, vector: VectorName.ema("ema"), to: url)
    #expect(try SafetensorsFile(url).floats("a.bias") == flat[8..<11].map { $0 + 0.5 })
  }

  /// The same weights give the same bytes, whoever saved them, when and where in the buffer.
  @Test func exportDependsOnNamesAndWeightsAlone() throws {
    let first = scratch.file("1")
    try ModelFile.export(
      CheckpointReader(run.save(0, ranks: 1), verifying: false), vector: "weights", to: first)

    let table = ParameterTable(
      [
        ParameterEntry(name: "a.bias", shape: [3], layout: .plain, offset: 1),
        ParameterEntry(name: "z.weight", shape: [3, 2], layout: .linear, offset: 4),
      ], flatCount: 10)
    let flat = run.values("weights", images: 0)
    let moved = [Float(99)] + flat[8..<11] + flat[0..<6]
    let store = CheckpointStore(directory: scratch.file("other"))
    try store.beginWrite(images: 77)
    let shard = try store.writeShard(
      images: 77, rank: 0, of: 1, ranges: [0..<10],
      vectors: [StateVector("weights", [Tensor(moved, [10], on: run.context)])])
    let url = try store.commit(
      Manifest(
        imagesSeen: 77, vectors: ["weights"], configuration: ["a": "b"], build: "another",
        progress: [:], table: table, shards: [shard]))
    let second = scratch.file("2")
    try ModelFile.export(
      CheckpointReader(url, verifying: true), vector: "weights", to: second)
    #expect(try Data(contentsOf: first) == Data(contentsOf: second))
  }

  @Test func loadUndoesExport() throws {
    let url = scratch.file("model.safetensors")
    try ModelFile.export(
      CheckpointReader(run.save(3), verifying: false), vector: "weights", to: url)
    let flat = Tensor([Float](repeating: -1, count: 11), [11], on: run.context)
    try ModelFile.load(url, run.table, into: flat)
    var expected = run.values("weights", images: 3)
    expected[6] = -1
    expected[7] = -1
    #expect(flat.floats == expected)
  }

  @Test func loadTakesAPrefixAndConverts() throws {
    let url = scratch.file("golden")
    let writer = try SafetensorsWriter(
      url,
      [
        .init("output.y", .int64, [1]), .init("param.z.weight", .float32, [3, 2]),
        .init("param.a.bias", .bfloat16, [3]),
      ])
    try [Int64(5)].withUnsafeBytes { try writer.write($0) }
    try writer.write([0, 3, 1, 4, 2, 5])
    try [UInt16(0x3F80), 0x4000, 0x4040].withUnsafeBytes { try writer.write($0) }
    try writer.finish()
    let flat = Tensor(zeros: [11], on: run.context)
    try ModelFile.load(url, run.table, prefix: "param.", into: flat)
    #expect(flat.floats == [0, 1, 2, 3, 4, 5, 0, 0, 1, 2, 3])
  }

  @Test func anotherModelIsRefusedByName() throws {
    let url = try model("other", [("z.weight", [2, 3]), ("b.bias", [3])])
    let flat = Tensor([Float](repeating: -1, count: 11), [11], on: run.context)
    let error = thrownError { try ModelFile.load(url, run.table, into: flat) }
    #expect(
      error
        == CheckpointError.modelMismatch(
          path: url.path, missing: ["a.bias"], unexpected: ["b.bias"],
          misshaped: ["z.weight [2, 3] where [3, 2] is expected"]))
    #expect(flat.floats == [Float](repeating: -1, count: 11))
  }

  @Test func longListsOfNamesAreCut() throws {
    let url = try model("other", (0..<9).map { ("t\($0)", [1]) })
    let flat = Tensor(zeros: [11], on: run.context)
    let text = thrownError { try ModelFile.load(url, run.table, into: flat) }.map { "\($0)" }
    #expect(text?.contains("missing (2): a.bias, z.weight;") == true)
    #expect(text?.contains("unexpected (9): t0, t1, t2, t3, t4 and 4 more") == true)
  }

  @Test func integerWeightsAreRefused() throws {
    let url = try model("int", [("z.weight", [3, 2]), ("a.bias", [3])], dtype: .int32)
    let flat = Tensor(zeros: [11], on: run.context)
    #expect(
      thrownError { try ModelFile.load(url, run.table, into: flat) }
        == SafetensorsError.tensorType(
          path: url.path, tensor: "z.weight", found: .int32,
          expected: "F32, F64, F16 or BF16"))
  }

  @Test func exportOfAVectorThatIsNotThere() throws {
    let checkpoint = try CheckpointReader(run.save(0), verifying: false)
    let url = scratch.file("model.safetensors")
    #expect(
      thrownError { try ModelFile.export(checkpoint, vector: "ema.slow", to: url) }
        == CheckpointError.noSuchVector(
          path: checkpoint.url.path, vector: "ema.slow", present: ["weights", "ema.ema"]))
    #expect(try names(in: scratch.url) == ["checkpoints"])
  }
}
