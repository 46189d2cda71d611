import Checkpoints
import ErrorSupport
import FileFormats
import FixtureSupport
import Foundation
import TensorCore
import Testing

/// Files as DiffiT's authors name the tensors of a network with windows of 2.
@Suite struct ForeignTensorsTests {
  private let scratch: TemporaryFolder
  private let context = ComputeContext()
  private let own = "blocks.0.attn.bias.table"
  private let theirs = "blocks.0.attn.relative_position_bias_table"
  private let index = "blocks.0.attn.relative_position_index"
  private let table = ParameterTable(
    [
      ParameterEntry(name: "blocks.0.attn.bias.table", shape: [9, 2], layout: .plain, offset: 0),
      ParameterEntry(name: "head.bias", shape: [2], layout: .plain, offset: 18),
    ], flatCount: 20)
  private var foreign: StateDictAdapter {
    var foreign = StateDictAdapter(relativePositionsIn: table)
    foreign.constants["pos_embed"] = .floats([0, 0.5, -1], tolerance: 1e-6)
    return foreign
  }
  /// Row for a query (down) and a key (across), of tokens (0, 0), (0, 1), (1, 0), (1, 1).
  private let indices: [Int64] = [4, 3, 1, 0, 5, 4, 2, 1, 7, 6, 4, 3, 8, 7, 5, 4]

  init() throws { scratch = try TemporaryFolder() }

  private func write(
    _ tableName: String, indices: [Int64]? = nil, places: [Float]? = nil, more: String? = nil
  ) throws -> URL {
    var tensors: [(SafetensorsWriter.Announcement, [UInt8])] = []
    func add<T>(_ name: String, _ dtype: SafetensorsDType, _ shape: [Int], _ values: [T]) {
      tensors.append((.init(name, dtype, shape), values.withUnsafeBytes { Array($0) }))
    }
    if let indices {
      add(index, .int64, indices.count == 16 ? [4, 4] : [indices.count], indices)
    }
    add(tableName, .float32, [9, 2], (0..<18).map { Float($0) })
    add("head.bias", .float32, [2], [Float(-1), -2])
    if let places { add("pos_embed", .float32, [1, places.count, 1], places) }
    if let more { add(more, .float32, [1], [Float(0)]) }
    let url = scratch.file("published.safetensors")
    let writer = try SafetensorsWriter(url, tensors.map(\.0))
    for (_, bytes) in tensors { try bytes.withUnsafeBytes { try writer.write($0) } }
    try writer.finish()
    return url
  }

  private func load(_ url: URL) throws -> [Float] {
    let flat = Tensor(zeros: [20], on: context)
    try ModelFile.check(url, table, allowing: foreign)
    try ModelFile.load(url, table, allowing: foreign, into: flat)
    return flat.floats
  }

  @Test func publishedNamesAndBuffersAreTaken() throws {
    let expected = (0..<18).map { Float($0) } + [-1, -2]
    #expect(try load(write(theirs, indices: indices, places: [0, 0.5000005, -1])) == expected)
    #expect(try load(write(theirs)) == expected)
    #expect(try load(write(own)) == expected)
  }

  @Test func withoutLeaveTheyAreUnexpected() throws {
    let url = try write(theirs, indices: indices)
    let flat = Tensor(zeros: [20], on: context)
    #expect(
      thrownError { try ModelFile.load(url, table, into: flat) }
        == CheckpointError.modelMismatch(
          path: url.path, missing: [own], unexpected: [theirs, index], misshaped: []))
  }

  @Test func otherTensorsAreStillRefused() throws {
    let url = try write(theirs, more: "blocks.0.attn.scale")
    #expect(
      thrownError { _ = try load(url) }
        == CheckpointError.modelMismatch(
          path: url.path, missing: [], unexpected: ["blocks.0.attn.scale"], misshaped: []))
    // Both names at once: one of them would be left aside.
    let both = try write(own, more: theirs)
    #expect(
      thrownError { _ = try load(both) }
        == CheckpointError.modelMismatch(
          path: both.path, missing: [], unexpected: [theirs], misshaped: []))
  }

  @Test func anotherOrderOfPositionsIsRefused() throws {
    var other = indices
    other.swapAt(1, 4)
    let url = try write(theirs, indices: other)
    #expect(
      thrownError { _ = try load(url) }
        == CheckpointError.constantValue(
          path: url.path, tensor: index, index: 1, found: 5, expected: 3))
    let small = try write(theirs, indices: [0])
    #expect(
      thrownError { _ = try load(small) }
        == CheckpointError.constantShape(path: small.path, tensor: index, found: [1], expected: 16))
  }

  @Test(arguments: [Float(0.50001), .nan])
  func anotherTableOfPositionsIsRefused(_ value: Float) throws {
    let url = try write(theirs, places: [0, value, -1])
    guard
      case CheckpointError.constantValue(url.path, "pos_embed", 1, _, 0.5)? = thrownError(by: {
        _ = try load(url)
      })
    else {
      Issue.record("another error")
      return
    }
  }

  @Test func anIndexOfFloatsIsRefused() throws {
    let url = scratch.file("float")
    let names = [(theirs, [9, 2]), ("head.bias", [2]), (index, [4, 4])]
    let writer = try SafetensorsWriter(url, names.map { .init($0.0, .float32, $0.1) })
    for (_, shape) in names {
      try [UInt8](repeating: 0, count: shape.reduce(4, *)).withUnsafeBytes { try writer.write($0) }
    }
    try writer.finish()
    #expect(
      thrownError { _ = try load(url) }
        == SafetensorsError.tensorType(
          path: url.path, tensor: index, found: .float32, expected: "an integer type"))
  }
}
