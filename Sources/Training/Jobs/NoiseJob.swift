import Datasets
import Foundation
import TensorCore

/// `diffit noise`: a real image at chosen noise levels, side by side.
///
/// What a network sees: y + sigma n, n of unit variance, for pixels in [-1, 1].
public enum NoiseJob {
  public static func run(_ options: NoiseOptions) throws {
    guard ProcessRank.isFirst else { return }
    var image = try ImageFile.read(options.image)
    if let side = options.resolution { image = image.centerSquare(resizedTo: side) }
    try FileOutput.makeFolder(ofFile: options.output)
    let strip = noisy(image, levels: options.levels, seed: options.seed)
    try ImageGrid.writePNG(
      strip, height: image.height, width: image.width, columns: options.levels.count,
      to: options.output)
    RunLog().info(
      "wrote \(options.image), \(image.width) x \(image.height) pixels, with noise of standard"
        + " deviation \(options.levels.map { "\($0)" }.joined(separator: ", ")) to"
        + " \(options.output)")
  }

  /// [levels, H, W, 3] in about [-1, 1]; one draw of noise, scaled to each level.
  static func noisy(_ image: RGBImage, levels: [Double], seed: UInt64) -> [Float] {
    let clean = image.pixels.map { Double($0) / 127.5 - 1 }
    let noise = RandomStream(seed: 0, .samplerNoise, position: seed).normals(clean.count)
    return levels.flatMap { sigma in zip(clean, noise).map { Float($0 + sigma * $1) } }
  }
}
