import Foundation
import SystemSupport

/// A file of events that TensorBoard reads, and tools that follow its format.
///
/// Source: TensorFlow's `tsl/lib/io/record_writer` and `tensorflow/core/util/event.proto`. A record
/// is its length (u64, little-endian), the masked CRC-32C of these eight bytes, the data, and the
/// masked CRC-32C of the data; the data are an `Event` in protobuf's wire format.
package final class EventFile {
  /// The file.
  package let path: String
  private let descriptor: Int32

  /// Begins a new file, whose name is another for each start of a run.
  ///
  /// - Parameters:
  ///   - folder: made if there is none.
  ///   - step: images seen. Readers leave out what older files of the folder say of later steps,
  ///     since the run went back to a checkpoint.
  package init(in folder: String, from step: Int, at time: Date = Date()) throws {
    try FileOutput.makeFolder(folder)
    let seconds = String(Int(time.timeIntervalSince1970))
    let stamp = String(repeating: "0", count: max(10 - seconds.count, 0)) + seconds
    let host = Host.name.map { $0.isLetter || $0.isNumber || "-._".contains($0) ? $0 : "_" }
    let base = "\(folder)/events.out.tfevents.\(stamp).\(String(host)).\(getpid())"
    var number = 0
    var file: Int32 = -1
    var name = ""
    repeat {
      name = "\(base).\(number)"
      file = open(name, O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0o666)
      number += 1
    } while file < 0 && errno == EEXIST
    guard file >= 0 else { throw FileError.system(operation: "create", path: name, code: errno) }
    (path, descriptor) = (name, file)
    var version = ProtobufMessage()
    version.add(1, time.timeIntervalSince1970)
    version.add(3, "brain.Event:2")
    try write(version)
    var session = ProtobufMessage()
    session.add(1, 1)  // SessionLog.START
    try write(event(step, time) { $0.add(7, session) })
  }

  deinit { close(descriptor) }

  /// Adds numbers of one step; those that are not finite are left out.
  package func add(_ scalars: [(tag: String, value: Double)], step: Int, at time: Date) throws {
    var summary = ProtobufMessage()
    for (tag, value) in scalars where value.isFinite {
      var entry = ProtobufMessage()
      entry.add(1, tag)
      entry.add(2, Float(value))
      summary.add(1, entry)
    }
    guard !summary.bytes.isEmpty else { return }
    try write(event(step, time) { $0.add(5, summary) })
  }

  /// Adds an image.
  ///
  /// - Parameter png: the file's bytes.
  package func add(_ tag: String, png: [UInt8], step: Int, at time: Date) throws {
    guard png.count >= 24 else { return }
    func number(_ at: Int) -> Int { png[at..<at + 4].reduce(0) { $0 << 8 | Int($1) } }
    var image = ProtobufMessage()
    image.add(1, number(20))  // height
    image.add(2, number(16))  // width
    image.add(3, 3)  // RGB
    image.add(4, png)
    var entry = ProtobufMessage()
    entry.add(1, tag)
    entry.add(4, image)
    var summary = ProtobufMessage()
    summary.add(1, entry)
    try write(event(step, time) { $0.add(5, summary) })
  }

  /// Adds a text, which TensorBoard shows as Markdown.
  package func add(_ tag: String, text: String, step: Int, at time: Date) throws {
    var tensor = ProtobufMessage()
    tensor.add(1, 7)  // DT_STRING
    var shape = ProtobufMessage()
    var side = ProtobufMessage()
    side.add(1, 1)
    shape.add(2, side)
    tensor.add(2, shape)
    tensor.add(8, text)
    var plugin = ProtobufMessage()
    plugin.add(1, "text")
    var metadata = ProtobufMessage()
    metadata.add(1, plugin)
    metadata.add(4, 2)  // DATA_CLASS_TENSOR
    var entry = ProtobufMessage()
    entry.add(1, tag)
    entry.add(8, tensor)
    entry.add(9, metadata)
    var summary = ProtobufMessage()
    summary.add(1, entry)
    try write(event(step, time) { $0.add(5, summary) })
  }

  private func event(
    _ step: Int, _ time: Date, _ fill: (inout ProtobufMessage) -> Void
  ) -> ProtobufMessage {
    var event = ProtobufMessage()
    event.add(1, time.timeIntervalSince1970)
    event.add(2, step)
    fill(&event)
    return event
  }

  private func write(_ event: ProtobufMessage) throws {
    let length = ProtobufMessage.littleEndian(UInt64(event.bytes.count))
    let record =
      length + ProtobufMessage.littleEndian(CRC32C.masked(length)) + event.bytes
      + ProtobufMessage.littleEndian(CRC32C.masked(event.bytes))
    let code = record.withUnsafeBytes { FileSystem.writeAll($0, to: descriptor) }
    guard code == 0 else { throw FileError.system(operation: "write", path: path, code: code) }
  }
}
