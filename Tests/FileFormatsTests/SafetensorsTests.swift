import ErrorSupport
import FileFormats
import FixtureSupport
import Foundation
import SystemSupport
import Testing

@Suite struct SafetensorsTests {
  let scratch: TemporaryFolder

  init() throws { scratch = try TemporaryFolder() }

  func write(
    _ name: String, _ tensors: [(SafetensorsWriter.Announcement, [UInt8])],
    metadata: [String: String] = [:]
  ) throws -> URL {
    let url = scratch.file(name)
    let writer = try SafetensorsWriter(url, tensors.map(\.0), metadata: metadata)
    for (_, bytes) in tensors { try bytes.withUnsafeBytes { try writer.write($0) } }
    try writer.finish()
    return url
  }

  func bytes<T>(_ values: [T]) -> [UInt8] { values.withUnsafeBytes { Array($0) } }

  /// The exact bytes of a file: length, JSON padded with spaces to eight, data in the order given.
  @Test func bytesOfAFile() throws {
    let url = try write(
      "a",
      [(.init("w", .float32, [1, 2]), bytes([Float(1), -2])), (.init("s", .uint8, []), [7])],
      metadata: ["format": "pt"])
    let json =
      #"{"__metadata__":{"format":"pt"},"w":{"dtype":"F32","shape":[1,2],"data_offsets":[0,8]},"#
      + #""s":{"dtype":"U8","shape":[],"data_offsets":[8,9]}}"#
    let padded = json + String(repeating: " ", count: (8 - json.utf8.count % 8) % 8)
    let expected: [UInt8] =
      [UInt8(padded.utf8.count), 0, 0, 0, 0, 0, 0, 0] + Array(padded.utf8)
      + [0, 0, 0x80, 0x3F, 0, 0, 0, 0xC0, 7]
    #expect(Array(try Data(contentsOf: url)) == expected)
  }

  @Test func readsBackWhatItWrote() throws {
    let url = try write(
      "b",
      [
        (.init("f64", .float64, [2]), bytes([0.1, -1e300] as [Double])),
        (.init("i64", .int64, [2]), bytes([Int64.min, 9])),
        (.init("f32", .float32, [3]), bytes([0.1, -Float.infinity, 0x1p-149])),
        (.init("i32", .int32, [2]), bytes([Int32.min, 9])),
        (.init("f16", .float16, [3]), bytes([UInt16(0x3C00), 0xFC00, 0x0001])),
        (.init("bf16", .bfloat16, [2]), bytes([UInt16(0x3F80), 0xC049])),
        (.init("u8", .uint8, [2]), [0, 255]), (.init("i8", .int8, [1]), [255]),
        (.init("none", .float32, [0, 4]), []),
      ], metadata: ["k\"\\\n\u{1}é": "😀"])
    let file: SafetensorsFile = try SafetensorsFile(url)
    #expect(file.metadata == ["k\"\\\n\u{1}é": "😀"])
    #expect(
      file.entries.map(\.name)
        == ["f64", "i64", "f32", "i32", "f16", "bf16", "u8", "i8", "none"])
    #expect(try file.floats("f64") == [0.1, -Float.infinity])
    #expect(try file.integers("i64") == [.min, 9])
    #expect(try file.floats("f32") == [0.1, -Float.infinity, 0x1p-149])
    #expect(try file.integers("i32") == [Int(Int32.min), 9])
    #expect(try file.floats("f16") == [1, -Float.infinity, 0x1p-24])
    #expect(try file.floats("bf16") == [1, -3.140625])
    #expect(try file.bytes("u8") == [0, 255])
    #expect(try file.integers("u8") == [0, 255])
    #expect(try file.integers("i8") == [-1])
    #expect(try file.floats("none") == [])
    #expect(file["none"]?.shape == [0, 4])
    #expect(file["nothing"] == nil)
  }

  /// Another writer's habits: tensors out of order, escapes, white space between tokens.
  @Test func readsForeignHeaders() throws {
    let json =
      "{ \"\\u0062\\n\" : {\"data_offsets\":[1 ,2],\t\"shape\":[],\"dtype\":\"U8\"},\r\n"
      + "\"a\":{\"dtype\":\"U8\",\"data_offsets\":[0,1],\"shape\":[1]}}  "
    let bytes = [UInt8(json.utf8.count), 0, 0, 0, 0, 0, 0, 0] + Array(json.utf8) + [3, 4]
    try scratch.write(Data(bytes), "foreign")
    let file = try SafetensorsFile(scratch.file("foreign"))
    #expect(file.entries.map(\.name) == ["a", "b\n"])
    #expect(try file.integers("b\n") == [4])
  }

  /// A range that begins and ends inside the pieces in which other types are converted.
  @Test func readsRangesOfConvertedTensors() throws {
    let values = (0..<200_000).map { Float(Float16(Float($0 % 2048))) }
    let url = try write(
      "c", [(.init("h", .float16, [200_000]), bytes(values.map { Float16($0) }))])
    let range = 12_345..<187_654
    var read = [Float](repeating: -1, count: range.count)
    let file = try SafetensorsFile(url)
    try read.withUnsafeMutableBufferPointer {
      try file.readFloats("h", range, into: try #require($0.baseAddress))
    }
    #expect(read == Array(values[range]))
  }

  @Test func refusesToConvertOtherTypes() throws {
    let url = try write(
      "d",
      [
        (.init("i", .int64, [1]), bytes([Int64(1)])),
        (.init("f", .float32, [1]), bytes([Float(1)])),
      ])
    let file = try SafetensorsFile(url)
    #expect(
      thrownError { _ = try file.floats("i") }
        == SafetensorsError.tensorType(
          path: url.path, tensor: "i", found: .int64, expected: "F32, F64, F16 or BF16"))
    #expect(
      thrownError { _ = try file.integers("f") }
        == SafetensorsError.tensorType(
          path: url.path, tensor: "f", found: .float32, expected: "an integer type"))
  }

  /// Until a file is finished its name shows the old one, and nothing stays of one given up.
  @Test func replacesAFileAsAWhole() throws {
    let url = try write("e", [(.init("w", .uint8, [1]), [1])])
    let before = try Data(contentsOf: url)
    do {
      let writer = try SafetensorsWriter(url, [.init("w", .float32, [2])])
      try writer.write([1])
      #expect(try names(in: scratch.url).count == 2)
    }
    #expect(try names(in: scratch.url) == ["e"])
    #expect(try Data(contentsOf: url) == before)
  }

  @Test func checksumIsThatOfTheBytes() throws {
    let url = scratch.file("f")
    let writer = try SafetensorsWriter(url, [.init("w", .float32, [700_000])])
    try writer.write((0..<700_000).map(Float.init))
    let (size, checksum) = try writer.finish()
    let data = try Data(contentsOf: url)
    #expect(size == data.count)
    #expect(checksum == data.withUnsafeBytes { Checksum.digest(of: $0) })
    let read = try Checksum.ofFile(url.path)
    #expect(read.size == size && read.digest == checksum)
  }

  /// Values of the reference implementation for the empty input (`xxh128sum`).
  @Test func checksumOfKnownInput() {
    #expect(Checksum.digest(of: "") == "99aa06d3014798d86001c324468d497f")
    #expect(Checksum.digest(of: "a") != Checksum.digest(of: "b"))
  }
}
