import Datasets
import FileFormats
import Foundation
import Images

/// Small data sets as files.
enum Pictures {
  /// Two classes of PNG files, seven images in all: a batch of 16 passes over them more than twice.
  static func writeFolder(_ path: String) throws {
    for (name, count) in [("dark", 4), ("light", 3)] {
      let folder = "\(path)/\(name)"
      try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
      for index in 0..<count {
        let base = name == "dark" ? 0 : 128
        let pixels = (0..<20 * 18 * 3).map { UInt8(base + $0 * (index + 3) % 128) }
        try ImageFile.writePNG(
          RGBImage(width: 20, height: 18, pixels: pixels), to: "\(folder)/\(index).png")
      }
    }
  }

  /// Drawn shapes of 16 x 16 pixels as PNG files, named by index.
  static func writeShapes(_ path: String, _ indices: Range<Int>) throws {
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    let shapes = ShapesDataset(resolution: 16, count: indices.upperBound)
    for index in indices {
      let name = String(format: "%05d.png", index)
      try ImageFile.writePNG(try shapes.image(index).image, to: "\(path)/\(name)")
    }
  }

  /// CIFAR-10's five files, four records each.
  static func writeCIFAR(_ path: String) throws {
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    for file in 1...5 {
      var bytes = Data()
      for record in 0..<4 {
        bytes.append(UInt8((file + record) % 10))
        bytes.append(contentsOf: (0..<3072).map { UInt8($0 * (file + record) % 256) })
      }
      try bytes.write(to: URL(fileURLWithPath: "\(path)/data_batch_\(file).bin"))
    }
  }

  /// 8 x 8 pixels of grey, made with Pillow.
  static let jpeg =
    Data(
      base64Encoded: """
        /9j/4AAQSkZJRgABAQAAAQABAAD/2wBDAA0JCgsKCA0LCgsODg0PEyAVExISEyccHhcgLikxMC4pLSwzOko+MzZGNywt\
        QFdBRkxOUlNSMj5aYVpQYEpRUk//wAALCAAIAAgBAREA/8QAFAABAAAAAAAAAAAAAAAAAAAAAf/EABkQAAEFAAAAAAAA\
        AAAAAAAAAAAEBiMxof/aAAgBAQAAPwATsWocP//Z
        """) ?? Data()
}
