import LinearAlgebra
import TensorCore

/// A product by OpenBLAS: what our own stand beside.
struct BLASBaseline: Codable, Equatable, Sendable {
  /// The kernels that OpenBLAS chose.
  let core: String
  let name: String
  /// In f32, on one thread; the best of five.
  let gflopsPerSecond: Double

  enum CodingKeys: String, CodingKey {
    case core, name
    case gflopsPerSecond = "gflops_per_second"
  }

  /// The first linear layer of an MLP, for 4096 pixels.
  static func measure(inputs: Int, on context: ComputeContext) -> BLASBaseline {
    let (rows, outputs) = (4096, 4 * inputs)
    let x = Tensor([rows, inputs], on: context)
    let weight = Tensor([inputs, outputs], on: context)
    let y = Tensor([rows, outputs], on: context)
    for tensor in [x, weight] { tensor.fill(1) }
    let best = (0..<5).map { _ in
      Benchmark.seconds(of: { OpenBLAS.product(x, weight, into: y) })
    }.min()
    return BLASBaseline(
      core: OpenBLAS.core, name: "linear \(inputs) to \(outputs)",
      gflopsPerSecond: Double(2 * rows * inputs * outputs) / max(best ?? 0, 1e-9) / 1e9)
  }
}
