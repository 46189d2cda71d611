import Autodiff
import Configuration
import DiffiTModels
import Diffusion
import FixtureSupport
import Foundation
import ModelLoading
import Sampling
import TensorCore
import Testing

/// Samplers on a small network against `sampler_golden.py`: the oracle in f64 and the papers'
/// formulas, with the same weights and the same noise.
@Suite("Sampling like the oracle") struct SamplerGoldenTests {
  private struct Recorded: Decodable {
    let seeds: [UInt64]
    let labels: [Int]
    let steps: Int
    let weights: UInt64
    let parameters: [OracleParameter]
    let samples: [String: [Double]]
  }

  private let recorded: Recorded
  private let model: ImageDiffiT
  private let context = try! ComputeContext(threadCount: 2)

  init() throws {
    let data = try Data(contentsOf: Repository.reference("samplers.json"))
    recorded = try JSONDecoder().decode(Recorded.self, from: data)
    var settings = ImageDiffiT.Settings()
    settings.resolution = 8
    settings.channels = [16, 32]
    settings.blocks = [1, 1]
    settings.window = 4
    settings.headDim = 8
    settings.timeDim = 32
    settings.embedDim = 16
    settings.classes = 3
    settings.augmentLabels = 0
    model = ImageDiffiT(settings)
    model.parameters.allocate(on: context, gradients: false)
    try model.parameters.drawAsOracle(recorded.parameters, seed: recorded.weights)
  }

  private func denoiser(_ guidance: Guidance = Guidance()) -> NetworkDenoiser {
    NetworkDenoiser(
      DenoisingModel(network: model, formulation: EDM()), labels: recorded.labels,
      guidance: guidance)
  }

  /// Largest difference, as a part of the largest value.
  private func error(
    _ name: String, _ sampler: any Sampler, guidance: Guidance = Guidance()
  ) throws -> Double {
    let expected = try #require(recorded.samples[name])
    let found = sampler.sample(
      seeds: recorded.seeds, over: .edm(steps: recorded.steps), image: [8, 8, 3],
      with: denoiser(guidance), on: context
    ).floats
    try #require(found.count == expected.count)
    return zip(found, expected).reduce(0) { max($0, abs(Double($1.0) - $1.1)) }
      / expected.reduce(0) { max($0, abs($1)) }
  }

  @Test(
    arguments: [
      ("heun", .heun), ("euler", .euler), ("ddpm", .ddpm), ("ddim 0", .ddim),
      ("dpm++", .dpmPlusPlus),
    ] as [(String, SampleSettings.Sampler)])
  func samplersByName(_ name: String, _ kind: SampleSettings.Sampler) throws {
    var options = SamplingOptions()
    options.sampler = kind
    let parameters = try SamplingParameters(options, of: Configuration())
    let error = try error(name, parameters.method)
    #expect(error < 2e-5, "\(name): \(error)")
  }

  @Test func noiseOfDDIM() throws {
    #expect(try error("ddim 0.5", DDIMSampler(eta: 0.5)) < 2e-5)
    #expect(try error("ddim 0.5", DDIMSampler(eta: 0.51)) > 1e-3)
  }

  @Test func churn() throws {
    var churn = HeunSampler.Churn(1.5)
    (churn.minimum, churn.maximum, churn.noise) = (0.05, 50, 1.003)
    #expect(try error("heun churn", HeunSampler(churn: churn)) < 2e-5)
    churn.noise = 1
    #expect(try error("heun churn", HeunSampler(churn: churn)) > 1e-3)
  }

  @Test func guidanceInItsInterval() throws {
    let guidance = Guidance(scale: 1.7, interval: 0.1...20)
    #expect(try error("heun guided", HeunSampler(), guidance: guidance) < 2e-5)
    #expect(try error("heun guided", HeunSampler(), guidance: Guidance(scale: 1.7)) > 1e-3)
    #expect(try error("heun guided", HeunSampler()) > 1e-3)
  }

  /// Outside the interval the prediction is the conditional one, bit for bit.
  @Test func guidanceOutsideItsInterval() {
    let noise = SeededNoise(recorded.seeds).first(192).map { Float($0) }
    let x = Tensor(noise, [2, 8, 8, 3], on: context)
    let guided = denoiser(Guidance(scale: 3, interval: 0.5...2))
    for (sigma, isGuided) in [(0.4, false), (0.5, true), (2, true), (2.1, false)] {
      let plain = denoiser().denoise(x, sigma: sigma).floats
      #expect((guided.denoise(x, sigma: sigma).floats != plain) == isGuided, "sigma \(sigma)")
    }
  }
}
