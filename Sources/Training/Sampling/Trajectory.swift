import Datasets
import Diffusion
import TensorCore

/// The way from noise to images: a row a seed, the states at evenly spaced steps from left to right, the
/// sample last. A state x at noise level sigma is shown as x sigma_data / sqrt(sigma^2 + sigma_data^2),
/// which has an image's contrast at every level.
struct Trajectory {
  /// Seeds shown, where as many are drawn.
  static let rows = 4
  /// States shown, where there are as many steps.
  static let columns = 10

  /// By seed, then by step: [H, W, 3].
  private let states: [[[Float]]]
  private let side: Int

  init(_ sampler: ImageSampler, seeds: [UInt64]) {
    let steps = sampler.levels.steps
    let shown = Self.steps(of: steps)
    side = sampler.model.settings.resolution
    var columns: [[Float]] = []
    let drawn = sampler.model.parameters.holdingWeights {
      sampler.draw(seeds) { step in
        guard shown.contains(step.index) else { return }
        let scale = Float(sampler.edm.cIn(step.sigma) * sampler.edm.sigmaData)
        columns.append(step.noisy.floats.map { $0 * scale })
      }
    }
    columns.append(drawn.floats)
    let size = drawn.count / seeds.count
    states = seeds.indices.map { row in
      columns.map { Array($0[row * size..<(row + 1) * size]) }
    }
  }

  /// The steps before which a state is shown: the first, and others as evenly as can be.
  static func steps(of count: Int) -> Set<Int> {
    let places = min(columns - 1, count)
    return Set((0..<places).map { $0 * count / places })
  }

  func write(to path: String) throws(DatasetError) {
    try ImageGrid.writePNG(
      states.flatMap { $0.flatMap(\.self) }, height: side, width: side, columns: states[0].count,
      to: path)
  }
}
