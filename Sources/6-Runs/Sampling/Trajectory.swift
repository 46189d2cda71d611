import Diffusion
import FileFormats
import Images
import Operators
import TensorCore

/// The steps from noise to images: one row per seed, the states at evenly spaced steps from left to
/// right, the sample last. Every state is shown with the contrast of an image, as its formulation
/// defines it.
struct Trajectory {
  /// Seeds shown, where there are as many.
  static let rows = 4
  /// States shown, where there are as many steps.
  static let columns = 10

  /// By step, one image per seed.
  private let columns: [[RGBImage]]

  /// Samples the images of `seeds` once more and keeps the states that are shown.
  init(_ sampler: ImageSampler, seeds: [UInt64]) {
    let shown = Self.steps(of: sampler.levels.steps)
    var columns: [[RGBImage]] = []
    let samples = sampler.model.parameters.withPackedWeights {
      sampler.sample(seeds) { step in
        guard shown.contains(step.index) else { return }
        let contrast = Float(sampler.model.formulation.contrast(sigma: step.sigma))
        let factors = seeds.map { _ in contrast }
        columns.append(sampler.images(scaled(step.noisy, by: factors)) { _ in })
      }
    }
    self.columns = columns + [sampler.images(samples) { _ in }]
  }

  /// The steps before which a state is shown: the first step, and others as evenly spaced as
  /// possible.
  static func steps(of count: Int) -> Set<Int> {
    let places = min(columns - 1, count)
    return Set((0..<places).map { $0 * count / places })
  }

  /// Writes the rows as one PNG file.
  func write(to path: String) throws {
    let images = columns[0].indices.flatMap { row in columns.map { $0[row] } }
    try ImageGrid.writePNG(images, columns: columns.count, to: path)
  }
}
