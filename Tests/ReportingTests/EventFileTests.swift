import FixtureSupport
import Foundation
import Reporting
import Testing

/// Reads events by rules of its own: records by their lengths, fields by their keys.
@Suite struct EventFileTests {
  /// CRC-32C bit by bit.
  static func checksum(_ bytes: [UInt8]) -> UInt32 {
    var value: UInt32 = 0xFFFF_FFFF
    for byte in bytes {
      for bit in 0..<8 {
        let carry = (value ^ UInt32(byte >> bit)) & 1
        value = value / 2 ^ carry * 0x82F6_3B78
      }
    }
    return value ^ 0xFFFF_FFFF
  }

  enum Value {
    case number(UInt64)
    case bytes([UInt8])
  }

  static func little(_ bytes: ArraySlice<UInt8>) -> UInt64 {
    bytes.reversed().reduce(0) { $0 * 256 + UInt64($1) }
  }

  static func records(_ file: [UInt8]) throws -> [[UInt8]] {
    var (at, records) = (0, [[UInt8]]())
    func check(_ bytes: [UInt8], _ at: Int) throws {
      let masked = UInt32(little(file[at..<at + 4])) &- 0xA282_EAD8
      try #require(masked << 15 | masked >> 17 == checksum(bytes))
    }
    while at < file.count {
      let count = Int(little(file[at..<at + 8]))
      try check(Array(file[at..<at + 8]), at + 8)
      records.append(Array(file[at + 12..<at + 12 + count]))
      try check(records[records.count - 1], at + 12 + count)
      at += 16 + count
    }
    return records
  }

  static func fields(_ message: [UInt8]) throws -> [Int: [Value]] {
    var (at, fields) = (0, [Int: [Value]]())
    func variable() -> UInt64 {
      var (value, shift) = (UInt64(0), UInt64(0))
      repeat {
        value |= UInt64(message[at] % 128) << shift
        shift += 7
        at += 1
      } while message[at - 1] >= 128
      return value
    }
    while at < message.count {
      let key = variable()
      let value: Value
      switch key % 8 {
      case 0: value = .number(variable())
      case 1, 5:
        let size = key % 8 == 1 ? 8 : 4
        value = .number(little(message[at..<at + size]))
        at += size
      default:
        let count = Int(variable())
        value = .bytes(Array(message[at..<at + count]))
        at += count
      }
      fields[Int(key / 8), default: []].append(value)
    }
    return fields
  }

  static func bytes(_ value: Value?) throws -> [UInt8] {
    guard case .bytes(let bytes) = try #require(value) else { throw CocoaError(.coderInvalidValue) }
    return bytes
  }

  static func number(_ value: Value?) throws -> UInt64 {
    guard case .number(let number) = try #require(value) else {
      throw CocoaError(.coderInvalidValue)
    }
    return number
  }

  @Test func checksumOfTheTestIsCastagnolis() {
    #expect(Self.checksum(Array("123456789".utf8)) == 0xE306_9283)
  }

  @Test func scalarsImagesAndTexts() throws {
    let scratch = try TemporaryFolder()
    let date = Date(timeIntervalSince1970: 1_700_000_000)
    let file = try EventFile(in: scratch.file("events").path, from: 500, at: date)
    try file.add([("train/loss", 0.5), ("bad", .nan)], step: 600, at: date)
    try file.add([("bad", .infinity)], step: 600, at: date)
    let png = Array(try ImageFixtures.png(3))
    try file.add("samples/ema", png: png, step: 700, at: date)
    try file.add("settings", text: "a: 1", step: 500, at: date)
    #expect(file.path.contains("/events.out.tfevents.1700000000."))
    let events = try Self.records(Array(Data(contentsOf: URL(fileURLWithPath: file.path))))
      .map(Self.fields)
    #expect(events.count == 5)
    #expect(try Self.bytes(events[0][3]?.first) == Array("brain.Event:2".utf8))
    #expect(try Double(bitPattern: Self.number(events[0][1]?.first)) == 1_700_000_000)
    // A start at 500 images: readers drop what older files say of later steps.
    #expect(try Self.number(events[1][2]?.first) == 500)
    let session = try Self.fields(Self.bytes(events[1][7]?.first))
    #expect(try Self.number(session[1]?.first) == 1)

    #expect(try Self.number(events[2][2]?.first) == 600)
    let summary = try Self.fields(Self.bytes(events[2][5]?.first))
    #expect(summary[1]?.count == 1)
    let scalar = try Self.fields(Self.bytes(summary[1]?.first))
    #expect(try Self.bytes(scalar[1]?.first) == Array("train/loss".utf8))
    #expect(try Float(bitPattern: UInt32(Self.number(scalar[2]?.first))) == 0.5)

    let picture = try Self.fields(Self.bytes(events[3][5]?.first))
    let entry = try Self.fields(Self.bytes(picture[1]?.first))
    let image = try Self.fields(Self.bytes(entry[4]?.first))
    #expect(try Self.number(image[1]?.first) == 8 && Self.number(image[2]?.first) == 8)
    #expect(try Self.bytes(image[4]?.first) == png)

    let note = try Self.fields(Self.bytes(events[4][5]?.first))
    let text = try Self.fields(Self.bytes(note[1]?.first))
    let tensor = try Self.fields(Self.bytes(text[8]?.first))
    #expect(try Self.bytes(tensor[8]?.first) == Array("a: 1".utf8))
  }

  @Test func eachStartHasAFileOfItsOwn() throws {
    let scratch = try TemporaryFolder()
    let date = Date(timeIntervalSince1970: 1_700_000_000)
    let files = try (0..<3).map { try EventFile(in: scratch.url.path, from: $0, at: date) }
    #expect(Set(files.map(\.path)).count == 3)
  }
}
