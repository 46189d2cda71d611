import Diffusion
import FileFormats
import Operators
import TensorCore

/// The way from noise to images: a row a seed, the states at evenly spaced steps from left to right, the
/// sample last. A state is shown with an image's contrast at every level, as its formulation has it.
struct Trajectory {
  /// Seeds shown, where as many are drawn.
  static let rows = 4
  /// States shown, where there are as many steps.
  static let columns = 10

  /// By step; a picture a seed.
  private let columns: [[RGBImage]]

  init(_ sampler: ImageSampler, seeds: [UInt64]) {
    let shown = Self.steps(of: sampler.levels.steps)
    var columns: [[RGBImage]] = []
    let drawn = sampler.model.parameters.withPackedWeights {
      sampler.draw(seeds) { step in
        guard shown.contains(step.index) else { return }
        let contrast = Float(sampler.model.formulation.contrast(sigma: step.sigma))
        let factors = seeds.map { _ in contrast }
        columns.append(sampler.images(scaled(step.noisy, by: factors)))
      }
    }
    self.columns = columns + [sampler.images(drawn)]
  }

  /// The steps before which a state is shown: the first, and others as evenly as can be.
  static func steps(of count: Int) -> Set<Int> {
    let places = min(columns - 1, count)
    return Set((0..<places).map { $0 * count / places })
  }

  func write(to path: String) throws {
    let images = columns[0].indices.flatMap { row in columns.map { $0[row] } }
    try ImageGrid.writePNG(images, columns: columns.count, to: path)
  }
}
