import FileFormats
import FixtureSupport
import Foundation
import Images
import Metrics
import NumericsSupport
import TensorCore

/// Random weights in the layout of the public file, as `Tests/Reference/inception/peer.py` makes them.
package enum RandomInception {
  /// The 472 tensors: uniform draws of stream `t` for tensor `t`.
  package static func write(_ url: URL) throws {
    let tensors = InceptionV3.tensors
    let writer = try SafetensorsWriter(url, tensors.map { .init($0.name, .float32, $0.shape) })
    for (index, tensor) in tensors.enumerated() {
      try writer.write(values(index, tensor.name, tensor.shape))
    }
    try writer.finish()
  }

  package static func values(_ index: Int, _ name: String, _ shape: [Int]) -> [Float] {
    let count = shape.reduce(1, *)
    let stream = RandomStream(seed: 5, .test, substream: index, position: 0)
    let isWeight = name.hasSuffix("conv.weight") || name == "fc.weight"
    let isScale = name.hasSuffix("bn.weight") || name.hasSuffix("running_var")
    let center: Double = isScale ? 1 : 0
    var reach: Double = isScale ? 0.5 : 0.2
    if isWeight { reach = (6 / Double(count / shape[0])).squareRoot() }
    var result: [Float] = []
    result.reserveCapacity(count + 3)
    for block in 0..<(count + 3) / 4 {
      let words = stream.block(block)
      for word in 0..<4 {
        let uniform = (Double(words[word]) + 0.5) * 0x1p-32
        result.append(Float(center + reach * (2 * uniform - 1)))
      }
    }
    return Array(result.prefix(count))
  }

  /// The file, made once for all tests of this process and removed with the folder of the system.
  package static let file: Result<URL, any Error> = Result {
    let url = FileManager.default.temporaryDirectory.appendingPathComponent(
      "diffit-inception-\(ProcessInfo.processInfo.processIdentifier).safetensors")
    try write(url)
    atexit { RandomInception.remove() }
    return url
  }

  private static func remove() {
    if let url = try? file.get() { unlink(url.path) }
  }

  /// A picture of slopes, edges and a little texture, as `make_golden.py` draws it.
  package static func image(height: Int, width: Int) -> RGBImage {
    var pixels: [UInt8] = []
    for y in 0..<height {
      for x in 0..<width {
        for c in 0..<3 {
          let texture = (x * x + 3 * y * y + 7 * x * y) % 31
          let slopes = x * (c + 2) * 96 / width + y * 120 / height
          pixels.append(UInt8((slopes + 40 * c + 2 * texture) % 256))
        }
      }
    }
    return RGBImage(width: width, height: height, pixels: pixels)
  }

  package static let sizes = [
    (height: 32, width: 32), (height: 45, width: 61), (height: 330, width: 310),
  ]
  package static var images: [RGBImage] { sizes.map { image(height: $0.height, width: $0.width) } }

  package static func golden() throws -> SafetensorsFile {
    try SafetensorsFile(Repository.reference("inception/features.safetensors"))
  }
}

/// Largest |a - b| over the largest |b|.
package func relativeError(_ a: [Float], to b: [Float]) -> Double { relativeError(a, b.wide) }
