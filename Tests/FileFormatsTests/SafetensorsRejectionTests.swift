import ErrorSupport
import FileFormats
import FixtureSupport
import Foundation
import NumericsSupport
import SystemSupport
import TensorCore
import Testing

/// One test on raw bytes for each condition under which a safetensors file is rejected.
@Suite struct SafetensorsRejectionTests {
  let scratch: TemporaryFolder

  init() throws { scratch = try TemporaryFolder() }

  /// A file of a header with its true length and `dataSize` zero bytes.
  func file(_ header: [UInt8], dataSize: Int) -> [UInt8] {
    let length = UInt64(header.count)
    return (0..<8).map { UInt8(truncatingIfNeeded: length >> (8 * $0)) } + header
      + Array(repeating: 0, count: dataSize)
  }

  func write(_ bytes: [UInt8]) throws -> URL {
    URL(fileURLWithPath: try scratch.write(Data(bytes), "bad.safetensors"))
  }

  func error(_ bytes: [UInt8]) throws -> (any Error)? {
    let url = try write(bytes)
    return thrownError { _ = try SafetensorsFile(url) }
  }

  func error(_ header: String, dataSize: Int) throws -> (any Error)? {
    try error(file(Array(header.utf8), dataSize: dataSize))
  }

  var path: String { scratch.file("bad.safetensors").path }

  @Test func shorterThanALength() throws {
    #expect(try error([1, 0, 0]) == SafetensorsError.shortFile(path: path, size: 3))
    #expect(
      try error([]) == FileError.wrongKind(path: path, found: .empty, use: .safetensors))
  }

  @Test func headerLongerThanTheLimit() throws {
    let bytes: [UInt8] = Array(repeating: 255, count: 8) + Array("{}".utf8)
    #expect(try error(bytes) == SafetensorsError.headerLimit(path: path, length: .max))
  }

  @Test func headerLongerThanTheFile() throws {
    let bytes: [UInt8] = [9, 0, 0, 0, 0, 0, 0, 0] + Array("{}      ".utf8)
    #expect(try error(bytes) == SafetensorsError.headerBeyondFile(path: path, length: 9, size: 16))
  }

  @Test func headerThatIsNotUTF8() throws {
    let header = Array("{\"".utf8) + [0xFF] + Array("\":{}}".utf8)
    #expect(try error(file(header, dataSize: 0)) == SafetensorsError.headerEncoding(path: path))
  }

  @Test(arguments: [
    ("", 0), (" {}", 0), ("[]", 0), ("{", 1), ("{}x", 2), ("{\"a\"", 4), ("{\"a\":1}", 5),
    ("{\"__metadata__\":{\"a\":1}}", 21), ("{\"a\n\":{}}", 3), ("{\"a\\x\":{}}", 3),
    ("{\"a\\ud800\":{}}", 3), ("{\"a\\udc00\":{}}", 3), ("{\"a\\u00g0\":{}}", 3), ("{\"a", 3),
    ("{\"a\":{\"shape\":[-1]}}", 15), ("{\"a\":{\"shape\":[01]}}", 15),
    ("{\"a\":{\"shape\":[1.5]}}", 16), ("{\"a\":{\"shape\":[1e3]}}", 16),
    ("{\"a\":{\"shape\":[9223372036854775808]}}", 15), ("{\"a\":{\"shape\":[1,]}}", 17),
    ("{\"a\":{\"shape\":[1}}", 16), ("{\"__metadata__\":{},}", 19),
    ("{\"a\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1,1]}}", 46),
  ])
  func syntax(_ header: String, _ offset: Int) throws {
    let error = try error(header, dataSize: 1)
    guard case SafetensorsError.headerSyntax(path, let found, _)? = error else {
      Issue.record("\(header): \(String(describing: error))")
      return
    }
    #expect(found == offset)
  }

  @Test(arguments: ["\"a\"", "\"\\u0061\""])
  func duplicateTensor(_ second: String) throws {
    let entry = "{\"dtype\":\"U8\",\"shape\":[0],\"data_offsets\":[0,0]}"
    let header = "{\"a\":\(entry),\(second):\(entry)}"
    #expect(try error(header, dataSize: 0) == SafetensorsError.duplicateKey(path: path, key: "a"))
  }

  @Test func duplicateField() throws {
    let header = "{\"a\":{\"dtype\":\"U8\",\"dtype\":\"U8\",\"shape\":[0],\"data_offsets\":[0,0]}}"
    #expect(
      try error(header, dataSize: 0) == SafetensorsError.duplicateKey(path: path, key: "dtype"))
  }

  @Test func duplicateMetadata() throws {
    let header = "{\"__metadata__\":{\"k\":\"1\",\"k\":\"2\"}}"
    #expect(try error(header, dataSize: 0) == SafetensorsError.duplicateKey(path: path, key: "k"))
  }

  @Test func unknownField() throws {
    let header = "{\"a\":{\"dtype\":\"U8\",\"shape\":[0],\"data_offsets\":[0,0],\"order\":[0]}}"
    #expect(
      try error(header, dataSize: 0)
        == SafetensorsError.unknownField(path: path, tensor: "a", field: "order"))
  }

  @Test(arguments: ["dtype", "shape", "data_offsets"])
  func missingField(_ field: String) throws {
    let fields = ["\"dtype\":\"U8\"", "\"shape\":[0]", "\"data_offsets\":[0,0]"]
      .filter { !$0.contains(field) }
    let header = "{\"a\":{\(fields.joined(separator: ","))}}"
    #expect(
      try error(header, dataSize: 0)
        == SafetensorsError.missingField(path: path, tensor: "a", field: field))
  }

  @Test func unknownDType() throws {
    let header = "{\"a\":{\"dtype\":\"F31\",\"shape\":[1],\"data_offsets\":[0,4]}}"
    #expect(
      try error(header, dataSize: 4)
        == SafetensorsError.unknownDType(path: path, tensor: "a", dtype: "F31"))
  }

  @Test func shapeThatOverflows() throws {
    let shape = [4_294_967_296, 4_294_967_296]
    let header = "{\"a\":{\"dtype\":\"F32\",\"shape\":\(shape),\"data_offsets\":[0,4]}}"
    #expect(
      try error(header, dataSize: 4)
        == SafetensorsError.shapeOverflow(path: path, tensor: "a", shape: shape))
  }

  @Test func rangeThatRunsBackwards() throws {
    let header = "{\"a\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[4,3]}}"
    #expect(
      try error(header, dataSize: 4)
        == SafetensorsError.reversedRange(path: path, tensor: "a", begin: 4, end: 3))
  }

  @Test func rangeThatIsNotTheShapes() throws {
    let header = "{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,4]}}"
    #expect(
      try error(header, dataSize: 4)
        == SafetensorsError.tensorSize(path: path, tensor: "a", found: 4, expected: 8))
  }

  func pair(_ first: Int, _ second: Int) -> String {
    "{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[\(first),\(first + 4)]},"
      + "\"b\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[\(second),\(second + 4)]}}"
  }

  @Test func holeBetweenTensors() throws {
    #expect(
      try error(pair(0, 5), dataSize: 9)
        == SafetensorsError.hole(path: path, tensor: "b", begin: 5, expected: 4))
  }

  @Test func holeBeforeTheFirst() throws {
    #expect(
      try error(pair(4, 8), dataSize: 12)
        == SafetensorsError.hole(path: path, tensor: "a", begin: 4, expected: 0))
  }

  @Test func tensorsThatOverlap() throws {
    #expect(
      try error(pair(0, 2), dataSize: 6)
        == SafetensorsError.overlap(path: path, tensor: "b", begin: 2, expected: 4))
  }

  @Test func truncatedData() throws {
    #expect(
      try error(pair(0, 4), dataSize: 7)
        == SafetensorsError.dataSize(path: path, found: 7, expected: 8))
  }

  @Test func bytesAfterTheData() throws {
    #expect(
      try error(pair(0, 4), dataSize: 9)
        == SafetensorsError.dataSize(path: path, found: 9, expected: 8))
  }

  @Test func missingFile() throws {
    let missing = scratch.file("none.safetensors")
    #expect(
      thrownError { _ = try SafetensorsFile(missing) }
        == FileError.system(operation: "open", path: missing.path, code: ENOENT))
  }

  @Test func fileThatIsShortenedWhileOpen() throws {
    let url = try write(file(Array(pair(0, 4).utf8), dataSize: 8))
    let open = try SafetensorsFile(url)
    #expect(truncate(url.path, 20) == 0)
    guard case FileError.shrank? = thrownError(by: { _ = try open.floats("b") }) else {
      Issue.record("a shortened file was read")
      return
    }
  }

  @Test func missingTensor() throws {
    let url = try write(file(Array("{}".utf8), dataSize: 0))
    #expect(
      thrownError { _ = try SafetensorsFile(url).floats("w") }
        == SafetensorsError.noSuchTensor(path: path, tensor: "w"))
  }

  /// Headers with bytes changed, cut and doubled are read or rejected, never a crash.
  @Test func mutatedHeaders() throws {
    let seeds = [
      pair(0, 4),
      "{\"__metadata__\":{\"k\\u00e9\":\"\\ud83d\\ude00\"},\"x\":{\"dtype\":\"I64\","
        + "\"shape\":[2,3],\"data_offsets\":[0,48]}}   ",
    ]
    let alphabet = Array("{}[]\",:\\u0189-.eE \u{0}Fsdtype".utf8) + [0xC3, 0x80, 0xFF]
    var rejected = 0
    for position in 0..<6000 {
      let random = RandomStream(seed: 7, .test, position: UInt64(position))
      var header = Array(seeds[position % 2].utf8)
      let dataSize = [8, 48][position % 2]
      for edit in 0..<(1 + draw(random, below: 4, 0)) {
        let place = draw(random, below: max(header.count, 1), 3 * edit + 1)
        let byte = alphabet[draw(random, below: alphabet.count, 3 * edit + 2)]
        switch draw(random, below: 4, 3 * edit + 3) {
        case 0 where !header.isEmpty: header[place] = byte
        case 1: header.insert(byte, at: min(place, header.count))
        case 2: header.removeSubrange(place...)
        default: header += header[min(place, header.count)...].prefix(24)
        }
      }
      do {
        let read = try SafetensorsHeader(header, dataSize: dataSize, path: "fuzz")
        #expect(read.entries.last?.data.upperBound ?? 0 == dataSize)
      } catch { rejected += 1 }
    }
    #expect(rejected > 3000 && rejected < 6000, "\(rejected) of 6000 rejected")
  }
}
