import Autodiff
import DiffiTModels
import Diffusion
import Optimization
import TensorCore

/// Trains a tiny DiffiT on random images for ten steps with EDM and Adam, and samples one image: what
/// the program `diffit` does, without its clusters, files and logs.
@main
struct TrainTinyDiffiT {
  static func main() throws {
    // A network with two stages, for images of 8 x 8 pixels.
    var settings = ImageDiffiT.Settings()
    (settings.resolution, settings.channels, settings.blocks) = (8, [32, 32], [1, 1])
    let network = ImageDiffiT(settings)
    let parameters = network.parameters

    // Memory and threads, initial weights, the optimiser, and an average of the weights.
    let context = try ComputeContext(threadCount: 2)
    parameters.allocate(on: context, gradients: true)
    parameters.initialize(seed: 1)
    let partition = OptimizerPartition(all: parameters.flatCount)
    var adam = Adam(
      owned: partition, betas: (0.9, 0.999), epsilon: 1e-8, weightDecay: 0, on: context)
    let average = ExponentialAverage(
      name: "default", halfLife: 16, rampup: 0, of: parameters.weights, owned: partition)
    print("\(parameters.parameterCount) parameters on \(context.kernels.level)")

    let (formulation, batch) = (EDM(), 8)
    for step in 0..<10 {
      // Everything random about an image depends only on its position in the run.
      let positions = (0..<batch).map { UInt64(step * batch + $0) }
      let images = randomImages(positions, on: context)
      let draws = positions.map { formulation.draw(seed: 1, position: $0) }
      let noise = trainingNoise(seed: 1, positions: positions, like: images)

      // The forward pass, recorded on a tape, and the backward pass over it.
      let tape = Tape()
      parameters.beginStep()
      let (loss, _) = formulation.loss(
        images, draws: draws, noise: noise, batch: batch, on: tape
      ) { noisy, time in network(noisy, time: time) }
      tape.backward(from: loss)
      parameters.zeroMissingGradients()

      // The update of the weights and of their average.
      let beta = average.beta(batch: batch, imagesSeen: step * batch)
      adam.update(
        parameters.weights, gradients: parameters.gradients, learningRate: 1e-3, factor: 1,
        averages: [(average, beta)])
      print("step \(step): loss \(loss.value.floats[0])")
    }

    // Sampling with the averaged weights.
    let image = parameters.withWeights(average.values) {
      HeunSampler().sample(
        seeds: [42], over: formulation.levels(steps: 8), image: [8, 8, 3],
        with: NetworkDenoiser(network: network), on: context)
    }
    print("image \(image.shape), \(image.floats.min() ?? 0) to \(image.floats.max() ?? 0)")
  }

  /// Images [B, 8, 8, 3] of random pixels in [-1, 1].
  static func randomImages(_ positions: [UInt64], on context: ComputeContext) -> Tensor {
    let pixels = positions.flatMap { position in
      let stream = RandomStream(seed: 1, .test, position: position)
      return (0..<8 * 8 * 3).map { Float(2 * stream.uniform($0) - 1) }
    }
    return Tensor(pixels, [positions.count, 8, 8, 3], on: context)
  }
}

/// A trained network as a denoiser, which is what samplers call.
struct NetworkDenoiser: Denoiser {
  let network: ImageDiffiT

  func denoise(_ x: Tensor, sigma: Double) -> Tensor {
    let levels = [Double](repeating: sigma, count: x.shape[0])
    return EDM().prediction(x, sigma: levels, network: { network($0, time: $1) }).clean
  }
}
