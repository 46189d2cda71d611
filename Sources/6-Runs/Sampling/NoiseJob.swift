import CommandSupport
import Diffusion
import FileFormats
import Foundation
import Images
import SystemSupport
import TensorCore

/// `diffit noise`: a real image at chosen noise levels, side by side.
///
/// An image y with pixels in [-1, 1] and noise n of unit variance become what a network sees: y +
/// sigma n for EDM, or sqrt(alpha-bar) y + sqrt(1 - alpha-bar) n for DDPM.
package enum NoiseJob {
  /// Reads the image and writes the strip. Only the first rank works.
  package static func run(_ options: NoiseOptions) throws {
    guard ProcessRank.isFirst else { return }
    var image = try ImageFile.read(options.image)
    if let side = options.resolution { image = image.centerSquare(resizedTo: side) }
    try FileOutput.makeFolder(ofFile: options.output)
    let strip = noisy(image, options.noise, seed: options.seed)
    try ImageGrid.writePNG(
      strip, height: image.height, width: image.width,
      columns: strip.count / image.pixels.count, to: options.output)
    RunLog().info(
      "wrote \(options.image), \(image.width) x \(image.height) pixels, with noise"
        + " \(options.noise.summary) to \(options.output)")
  }

  /// The image at each level or timestep, [N, H, W, 3] in about [-1, 1], all with the same noise.
  package static func noisy(_ image: RGBImage, _ noise: NoiseOptions.Noise, seed: UInt64) -> [Float]
  {
    switch noise {
    case .levels(let levels): return noisy(image, levels: levels, seed: seed)
    case .timesteps(let timesteps, let schedule, let steps):
      let ddpm = DDPM(schedule: schedule == .linear ? .linear : .cosine, steps: steps)
      let unit = RandomStream(seed: 0, .samplerNoise, position: seed).normals(image.pixels.count)
      let context = ComputeContext()
      let shape: Shape = [timesteps.count, image.height, image.width, 3]
      func repeated(_ values: [Float]) -> Tensor {
        Tensor(timesteps.flatMap { _ in values }, shape, on: context)
      }
      return ddpm.noisy(
        repeated(image.pixels.map { Float(Double($0) / 127.5 - 1) }), timesteps: timesteps,
        noise: repeated(unit.map { Float($0) })
      ).floats
    }
  }

  /// y + sigma n for each of `levels`, [N, H, W, 3] in about [-1, 1], all with the same noise n.
  package static func noisy(_ image: RGBImage, levels: [Double], seed: UInt64) -> [Float] {
    let clean = image.pixels.map { Double($0) / 127.5 - 1 }
    let noise = RandomStream(seed: 0, .samplerNoise, position: seed).normals(clean.count)
    return levels.flatMap { sigma in zip(clean, noise).map { Float($0 + sigma * $1) } }
  }
}

extension NoiseOptions.Noise {
  /// For people.
  fileprivate var summary: String {
    func list(_ values: [some Any]) -> String {
      values.map { "\($0)" }.joined(separator: ", ")
    }
    return switch self {
    case .levels(let levels): "of standard deviation \(list(levels))"
    case .timesteps(let timesteps, let schedule, let steps):
      "of timesteps \(list(timesteps)) of \(steps), \(schedule.rawValue) schedule,"
    }
  }
}
