import Autodiff
import DiffiTModels
import Diffusion
import Foundation
import Optimization
import TensorCore

let threads = Int(CommandLine.arguments.dropFirst().first ?? "2")!
let batch = Int(CommandLine.arguments.dropFirst(2).first ?? "8")!
let engine = Engine(threadCount: threads)
var s = ImageDiffiT.Settings()
s.blocks = [2, 2, 2]
let net = ImageDiffiT(s)
print(net.parameters.parameterCount, net.parameters.flatCount)
net.parameters.allocate(on: engine, gradients: true)
net.parameters.initialize(seed: 0)
let edm = EDM()
let images = Tensor(zeros: s.imageShape(batch: batch), on: engine)
var adam = Adam(count: net.parameters.flatCount, betas: (0.9, 0.999), epsilon: 1e-8, weightDecay: 0, on: engine)
for step in 0..<4 {
  let t0 = Date()
  let positions = (0..<batch).map { UInt64(step * batch + $0) }
  let tape = Tape(dropout: nil)
  net.parameters.beginStep()
  let sigma = positions.map { edm.sigma(seed: 0, position: $0) }
  let noise = edm.noise(seed: 0, positions: positions, like: images)
  let (loss, _) = edm.loss(images, sigma: sigma, noise: noise, batch: batch, on: tape) { net($0, cNoise: $1) }
  let t1 = Date()
  tape.backward(from: loss)
  let t2 = Date()
  adam.update(net.parameters.weights, gradients: net.parameters.gradients, learningRate: 1e-4, factor: 1)
  let t3 = Date()
  print(loss.value.floats[0], t1.timeIntervalSince(t0), t2.timeIntervalSince(t1), t3.timeIntervalSince(t2), "img/s", Double(batch) / t3.timeIntervalSince(t0), engine.memory.peakBytes / 1_000_000, sumOfSquares(net.parameters.gradients))
}
