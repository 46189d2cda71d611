import Collectives
import Configuration
import Datasets
import Diffusion
import Evaluation
import ModelLoading
import TensorCore
import Testing

@Suite("The least loss on a training set")
struct OptimalLossTests {
  private let examples = ImageSamples(ShapesDataset(resolution: 8, count: 40))
  private let edm = EDM()

  private func model(classes: Int) throws -> DenoisingModel {
    let configuration = try Configuration(
      yaml: "", name: "",
      overrides: [
        "model.resolution=8", "model.channels=16", "model.blocks=1", "model.head_dim=8",
        "model.time_dim=16", "model.embed_dim=16", "model.classes=\(classes)", "data.kind=shapes",
        "data.augment=0",
      ])
    let model = DenoisingModel(configuration)
    model.parameters.allocate(on: ComputeContext(), gradients: false)
    model.parameters.initialize(seed: 1)
    return model
  }

  private func measure(classes: Int, mirrors: Bool) throws -> OptimalLoss {
    try OptimalLoss.measure(
      model(classes: classes), edm, on: examples, mirrors: mirrors, count: 20, batch: 7,
      context: ComputeContext(threadCount: 2), over: SingleCommunicator()
    ) { _, _ in }
  }

  private func mirrored(_ values: [Float]) -> [Float] {
    var result: [Float] = []
    for at in 0..<64 {
      let start = (at / 8 * 8 + 7 - at % 8) * 3
      result += values[start..<start + 3]
    }
    return result
  }

  /// By its definition, image by image.
  private func plain(classes: Int, mirrors: Bool) throws -> [Double] {
    let set = try (0..<40).map { try examples.sample($0, seed: 0, position: 0) }
    return (0..<20).map { index -> Double in
      let y = set[2 * index]
      let same = set.filter { classes == 0 || $0.label == y.label }.map(\.values)
      let candidates = mirrors ? same + same.map(mirrored) : same
      return loss(of: y.values, index, candidates)
    }
  }

  private func loss(of y: [Float], _ index: Int, _ candidates: [[Float]]) -> Double {
    let position = UInt64(1) << 63 + UInt64(index)
    let sigma = edm.sigma(seed: 0, position: position)
    let stream = RandomStream(seed: 0, .noise, position: position)
    var x: [Double] = []
    for at in 0..<192 { x.append(Double(y[at]) + sigma * Double(Float(stream.normal(at)))) }
    var exponents: [Double] = []
    for candidate in candidates {
      var distance = 0.0
      for at in 0..<192 {
        let step = x[at] - Double(candidate[at])
        distance += step * step
      }
      exponents.append(-distance / (2 * sigma * sigma))
    }
    let top = exponents.max() ?? 0
    let weights = exponents.map { $0 - top < -700 ? 0 : PortableMath.exp($0 - top) }
    let total = weights.reduce(0, +)
    var error = 0.0
    for at in 0..<192 {
      var best = 0.0
      for (weight, candidate) in zip(weights, candidates) { best += weight * Double(candidate[at]) }
      let step = best / total - Double(y[at])
      error += step * step
    }
    return edm.weight(sigma) * error / 192
  }

  @Test(arguments: [(0, false), (0, true), (10, false), (10, true)])
  func byItsDefinition(classes: Int, mirrors: Bool) throws {
    let found = try measure(classes: classes, mirrors: mirrors)
    let expected = try plain(classes: classes, mirrors: mirrors)
    let mean = expected.reduce(0, +) / 20
    #expect(abs(found.optimal.mean / mean - 1) < 1e-6)
    #expect(found.set == (mirrors ? 80 : 40) && found.optimal.images == 20)
    // A network that has learned nothing is far from it, at every level.
    for (own, least) in zip(found.measured.byNoiseLevel, found.optimal.byNoiseLevel)
    where own.images > 0 { #expect(own.loss > least.loss) }
  }

  @Test func moreImagesAreHarder() throws {
    let (all, own) = (
      try measure(classes: 0, mirrors: false), try measure(classes: 10, mirrors: false)
    )
    #expect(all.optimal.mean > own.optimal.mean)
  }
}
