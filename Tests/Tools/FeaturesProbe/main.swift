// Runs a feature network on images and writes its features, which Tests/Reference/compare_features.py compares.
//
// usage: FeaturesProbe WEIGHTS|builtin PROTOCOL IMAGES OUT THREADS TAPS
//
// IMAGES is a safetensors file of U8 tensors [n, height, width, 3], taken in the order of their names; OUT
// receives one F32 tensor per kind of feature. Prints the seconds that the features took, all images once, after a first
// run on eight of them: by the clock, and of all threads together.
import FileFormats
import Foundation
import Images
import Metrics
import Scores
import TensorCore

enum Usage: Error { case wrong(String) }

func images(_ path: String) throws -> [RGBImage] {
  let file = try SafetensorsFile(URL(fileURLWithPath: path))
  return try file.entries.sorted { $0.name < $1.name }.flatMap { entry in
    guard entry.shape.count == 4, entry.shape[3] == 3, entry.dtype == .uint8 else {
      throw Usage.wrong("\(path): \(entry.name) is not U8 [n, height, width, 3]")
    }
    let (height, width) = (entry.shape[1], entry.shape[2])
    let bytes = try file.bytes(entry.name)
    return (0..<entry.shape[0]).map { i in
      let size = width * height * 3
      return RGBImage(
        width: width, height: height, pixels: Array(bytes[i * size..<(i + 1) * size]))
    }
  }
}

func run(_ arguments: [String]) throws {
  guard arguments.count == 6, let resize = ResizeProtocol(rawValue: arguments[1]),
    let threads = Int(arguments[4])
  else { throw Usage.wrong("FeaturesProbe WEIGHTS|builtin PROTOCOL IMAGES OUT THREADS TAPS") }
  let context = try! ComputeContext(threadCount: threads)
  let network: any FeatureExtractor =
    arguments[0] == "builtin"
    ? RandomFeatures(on: context)
    : try InceptionV3(
      weights: URL(fileURLWithPath: arguments[0]), resize: resize, on: context)
  let kinds = try arguments[5].split(separator: ",").map { name in
    guard let kind = FeatureKind(rawValue: String(name)), network.widths[kind] != nil else {
      throw Usage.wrong("no kind \(name)")
    }
    return kind
  }
  let images = try images(arguments[2])
  _ = network.features(of: Array(images.prefix(8)), kinds: Set(kinds), on: context)
  let (start, startTicks) = (ContinuousClock.now, clock())
  let features = network.features(of: images, kinds: Set(kinds), on: context)
  let (seconds, attoseconds) = (ContinuousClock.now - start).components
  let ticks = Double(clock() - startTicks) / Double(CLOCKS_PER_SEC)
  print(Double(seconds) + Double(attoseconds) * 1e-18, ticks)

  let writer = try SafetensorsWriter(
    URL(fileURLWithPath: arguments[3]),
    kinds.map { .init($0.rawValue, .float32, [images.count, network.widths[$0] ?? 0]) })
  for kind in kinds { try writer.write(features[kind]?.values ?? []) }
  try writer.finish()
}

do {
  try run(Array(CommandLine.arguments.dropFirst()))
} catch {
  FileHandle.standardError.write(Data("FeaturesProbe: \(error)\n".utf8))
  exit(1)
}
