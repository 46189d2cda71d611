import Autodiff
import DiffiTModels
import FixtureSupport
import Foundation
import NumericsSupport
import RunData
import TensorCore
import Testing

/// Our network with the weights of a golden's folder.
struct GoldenVAE {
  let vae: VAE
  let golden: GoldenFile
  let context: ComputeContext

  init(
    _ name: String, precision: DType = .float32, recomputes: Bool = false,
    on context: ComputeContext = try! ComputeContext(threadCount: 2)
  ) throws {
    self.context = context
    let folder = GoldenFile.folder.appendingPathComponent(name)
    let description = try DiffusersVAE.describe(folder)
    vae = VAE(description.settings, precision: precision, recomputes: recomputes)
    vae.parameters.allocate(on: context, gradients: true)
    try DiffusersVAE.read(folder, into: vae)
    golden = try GoldenFile("\(name)/golden.safetensors", on: context)
  }

  /// The golden's loss: sum(weight * reconstruction) / (1000 * batch) + 0.01 mean KL.
  func loss(_ x: Variable) throws -> (mean: Tensor, log: Tensor, image: Tensor, total: Variable) {
    let (mean, log) = vae.encode(x)
    let z = vae.sample(mean, log, noise: try golden.images("noise"))
    let image = vae.decode(z)
    let weight = try golden.images("weight")
    let factor = 1 / (1000 * Float(x.shape[0]))
    let slope = Tensor(weight.floats.map { $0 * factor }, weight.shape, on: context)
    let value = zip(slope.floats, image.value.floats).reduce(0.0) { $0 + Double($1.0 * $1.1) }
    let shares = [Double](repeating: 0.01 / Double(x.shape[0]), count: x.shape[0])
    let divergence = gaussianDivergence(mean, log, weights: shares)
    return (
      mean.value, log.value, image.value,
      attached([value], slope, image) + divergence.total
    )
  }

  private func attached(_ terms: [Double], _ gradient: Tensor, _ x: Variable) -> Variable {
    Autodiff.loss(terms, gradient: gradient, at: x)
  }
}

@Suite struct VAEGoldenTests {
  static let levels = KernelTable.Level.allCases.filter { KernelTable($0) != nil }

  @Test(arguments: ["f2", "f4"], levels)
  func outputsAndGradients(_ name: String, _ level: KernelTable.Level) throws {
    let kernels = try #require(KernelTable(level))
    let model = try GoldenVAE(name, on: try! ComputeContext(threadCount: 2, kernels: kernels))
    let (vae, golden) = (model.vae, model.golden)
    let tape = Tape()
    let x = tape.variable(try golden.images("images"))
    vae.parameters.beginStep()
    let result = try model.loss(x)
    #expect(worst(result.mean, try golden.images("mean")) < 1e-5)
    #expect(worst(result.log, try golden.images("logvar")) < 1e-5)
    #expect(worst(result.image, try golden.images("reconstruction")) < 1e-5)
    let loss = Double(try golden.floats("loss")[0])
    #expect(abs(Double(result.total.value.floats[0]) - loss) < 1e-5 * loss)
    let dx = tape.gradients(of: result.total, at: [x])[0]
    #expect(worst(try #require(dx), try golden.images("grad_images")) < 1e-4)
    tape.backward(from: result.total)
    #expect(vae.parameters.parameters.allSatisfy { $0.hasGradient })
    let worstGradient = try golden.worstGradient(vae.parameters)
    #expect(worstGradient.error < 1e-4, "\(worstGradient)")
  }

  /// One tile, and rows and columns of them with narrow ones at the end.
  @Test(arguments: ["f2", "f4"])
  func tiles(_ name: String) throws {
    let model = try GoldenVAE(name)
    let picture = try model.golden.images("picture")
    let tiled = model.vae.encodeInTiles(picture)
    #expect(worst(tiled.mean, try model.golden.images("tiled.mean")) < 1e-5)
    #expect(worst(tiled.logVariance, try model.golden.images("tiled.logvar")) < 1e-5)
    let decoded = model.vae.decodeInTiles(try model.golden.images("tiled.mean"))
    #expect(worst(decoded, try model.golden.images("tiled.decoded")) < 1e-5)
    let whole = model.vae.encode(Variable(picture)).mean.value
    #expect(worst(tiled.mean, whole) > 1e-3, "tiles are not the whole")
    let small = try model.golden.images("images")
    #expect(
      model.vae.encodeInTiles(small).mean.bits == model.vae.encode(Variable(small)).mean.value.bits)
  }

  /// A weight that is off shows: the comparison can fail.
  @Test func aChangedNetworkIsNoticed() throws {
    let model = try GoldenVAE("f2")
    let weight = try #require(
      model.vae.parameters.parameters.first {
        $0.name == "decoder.mid_block.attentions.0.to_k.weight"
      })
    weight.value.withFloats { $0[3] += 0.5 }
    let result = try model.loss(Variable(try model.golden.images("images")))
    #expect(worst(result.image, try model.golden.images("reconstruction")) > 1e-4)
  }
}
