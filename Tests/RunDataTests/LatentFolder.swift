import FileFormats
import Foundation
import RunData
import Testing

/// A folder of latents written by hand, gone with the test: five images of 2 x 2 latents with 3 channels, in
/// two files.
final class LatentFolder {
  static let shape = [3, 2, 2]
  static let elements = 12
  let url: URL
  /// What `latents.json` says.
  var description: [String: Any] = [:]
  var path: String { url.path }

  init(
    flips: Bool = true, bf16: Bool = false, logVariance: Float = -1,
    labels: [Int64] = [0, 1, 2, 1, 0]
  ) throws {
    url = FileManager.default.temporaryDirectory.appendingPathComponent("latents-\(UUID())")
    try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    var files: [[String: Any]] = []
    for (index, images) in [0..<3, 3..<5].enumerated() {
      let name = "latents-0000\(index)-of-00002.safetensors"
      let names = ["mean", "log_variance", "flipped_mean", "flipped_log_variance"]
        .prefix(flips ? 4 : 2)
      let writer = try SafetensorsWriter(
        url.appendingPathComponent(name),
        [.init("labels", .int64, [images.count])]
          + names.map {
            .init($0, bf16 ? .bfloat16 : .float32, [images.count] + Self.shape)
          })
      try Self.write(Array(labels[images]), to: writer)
      for name in names {
        let values = images.flatMap { image in
          (0..<Self.elements).map { element in
            name.hasSuffix("mean")
              ? Self.mean(image, element, flipped: name.hasPrefix("flipped")) : logVariance
          }
        }
        if bf16 {
          try Self.write(values.map { UInt16($0.bitPattern >> 16) }, to: writer)
        } else {
          try Self.write(values, to: writer)
        }
      }
      let (size, checksum) = try writer.finish()
      files.append([
        "name": name, "images": images.count, "size": size, "checksum": checksum,
      ])
    }
    description = [
      "version": 1, "vae": String(repeating: "a", count: 32), "factor": 4, "shape": Self.shape,
      "images": 5, "file_images": 3, "classes": ["x", "y", "z"], "source": "pictures",
      "source_digest": "s", "precision": bf16 ? "bf16" : "fp32", "flips": flips, "scale": 2.5,
      "files": files,
    ]
    try describe()
  }

  deinit { try? FileManager.default.removeItem(at: url) }

  /// Element `element` of the file, [channel, row, column]; exact in bf16.
  static func mean(_ image: Int, _ element: Int, flipped: Bool) -> Float {
    Float(flipped ? -1 : 1) * (Float(image + 1) + Float(element) / 16)
  }

  private static func write(
    _ values: [some BitwiseCopyable], to writer: SafetensorsWriter
  ) throws {
    try values.withUnsafeBytes { bytes in
      Result { () throws in try writer.write(bytes) }
    }.get()
  }

  func describe() throws {
    try JSONSerialization.data(withJSONObject: description).write(to: file("latents.json"))
  }

  func file(_ name: String) -> URL { url.appendingPathComponent(name) }

  func open(scale: Double = 1) throws -> LatentDataset {
    try LatentDataset(path: path, scale: scale)
  }

  /// What opening it says, in an error of a type.
  func refusal<Failure: Error>(_ type: Failure.Type = LatentsError.self) throws -> String {
    let error = try #require(throws: type) { try self.open() }
    let description = "\(error)"
    #expect(!description.contains("\n"))
    return description
  }
}
