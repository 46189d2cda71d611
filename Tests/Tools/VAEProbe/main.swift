// Runs the autoencoder and the perceptual distance on files: what Tests/Reference/compare_vae.py compares.
//
// usage: VAEProbe run FOLDER INPUT OUT THREADS fp32|bf16
//        VAEProbe write FOLDER SEED CHANNELS,... GROUPS
//        VAEProbe lpips WEIGHTS INPUT OUT THREADS
//
// Images are F32 [B, C, H, W] as PyTorch has them. `run` reads `images`, `noise` and `weight` and writes `mean`,
// `logvar`, `reconstruction`, `grad_images` and `grad.NAME` of the loss of vae_golden.py; with `picture` also
// `tiled.mean` and `tiled.decoded`. It prints the seconds of each, and the memory at its peak.
import Autodiff
import DiffiTModels
import FileFormats
import Foundation
import RunData
import TensorCore

enum Usage: Error { case wrong(String) }

struct Files {
  let input: SafetensorsFile
  let context: ComputeContext
  var results: [(name: String, shape: [Int], values: [Float])] = []

  init(_ path: String, on context: ComputeContext) throws {
    input = try SafetensorsFile(URL(fileURLWithPath: path))
    self.context = context
  }

  func images(_ name: String) throws -> Tensor {
    let (shape, values) = (try input.entry(name).shape, try input.floats(name))
    let (c, pixels) = (shape[1], shape[2] * shape[3])
    let result = Tensor([shape[0], shape[2], shape[3], c], on: context)
    result.withFloats { to in
      for i in values.indices {
        to[i] = values[(i / (c * pixels) * c + i % c) * pixels + i / c % pixels]
      }
    }
    return result
  }

  mutating func add(_ name: String, images: Tensor) {
    let (b, h, w, c) = (images.shape[0], images.shape[1], images.shape[2], images.shape[3])
    let values = images.floats
    let reordered = values.indices.map { i in
      values[(i / (c * h * w) * h * w + i % (h * w)) * c + i / (h * w) % c]
    }
    results.append((name, [b, c, h, w], reordered))
  }

  func write(_ path: String) throws {
    let writer = try SafetensorsWriter(
      URL(fileURLWithPath: path), results.map { .init($0.name, .float32, $0.shape) })
    for result in results { try writer.write(result.values) }
    try writer.finish()
  }
}

func timed<R>(_ name: String, _ body: () throws -> R) rethrows -> R {
  let start = ContinuousClock.now
  defer {
    let (seconds, attoseconds) = (ContinuousClock.now - start).components
    print(name, Double(seconds) + Double(attoseconds) * 1e-18)
  }
  return try body()
}

func run(_ arguments: [String], _ precision: DType) throws {
  let folder = URL(fileURLWithPath: arguments[0])
  let context = try! ComputeContext(threadCount: Int(arguments[3]) ?? 1)
  let vae = VAE(try DiffusersVAE.describe(folder).settings, precision: precision)
  vae.parameters.allocate(on: context, gradients: true)
  try DiffusersVAE.read(folder, into: vae)
  var files = try Files(arguments[1], on: context)
  let (images, noise, weight) = (
    try files.images("images"), try files.images("noise"), try files.images("weight")
  )
  try vae.parameters.withPackedWeights {
    let tape = Tape()
    let x = tape.variable(images)
    let start = context.memory.liveBytes
    let (mean, log, image) = timed("forward") {
      let (mean, log) = vae.encode(x)
      return (mean, log, vae.decode(vae.sample(mean, log, noise: noise)))
    }
    let batch = images.shape[0]
    print("saved", context.memory.liveBytes - start)
    print("counted", batch * vae.settings.cost(precision: precision).savedBytes)
    print("flops", batch * vae.settings.cost().forwardFlops)
    let factor = 1 / (1000 * Float(batch))
    let slope = Tensor(weight.floats.map { $0 * factor }, weight.shape, on: context)
    let divergence = gaussianDivergence(
      mean, log, weights: [Double](repeating: 0.01 / Double(batch), count: batch))
    let total = loss([0], gradient: slope, at: image) + divergence.total
    files.add("mean", images: mean.value)
    files.add("logvar", images: log.value)
    files.add("reconstruction", images: image.value)
    let dx = timed("input gradient") { tape.gradients(of: total, at: [x])[0] }
    vae.parameters.beginStep()
    timed("backward") { tape.backward(from: total) }
    if let dx { files.add("grad_images", images: dx) }
    if files.input["picture"] != nil {
      let picture = try files.images("picture")
      let tiled = timed("tiled encode") { vae.encodeInTiles(picture).mean }
      files.add("tiled.mean", images: tiled)
      files.add("tiled.decoded", images: timed("tiled decode") { vae.decodeInTiles(tiled) })
    }
  }
  for parameter in vae.parameters.parameters {
    let shape = parameter.layout.fileShape(parameter.shape).dimensions
    files.results.append(
      (
        "grad.\(parameter.name)", shape,
        parameter.layout.toFile(parameter.gradient.floats, shape: shape)
      ))
  }
  print("peak", context.memory.peakBytes)
  try files.write(arguments[2])
}

func write(_ arguments: [String]) throws {
  var settings = VAE.Settings()
  settings.channels = arguments[2].split(separator: ",").compactMap { Int($0) }
  settings.groups = Int(arguments[3]) ?? 32
  let vae = VAE(settings)
  vae.parameters.allocate(on: ComputeContext(), gradients: false)
  vae.parameters.initialize(seed: UInt64(arguments[1]) ?? 0)
  try DiffusersVAE.write(vae, to: URL(fileURLWithPath: arguments[0]))
  print("digest", DiffusersVAE.digest(of: vae))
}

func perceptual(_ arguments: [String]) throws {
  let context = try! ComputeContext(threadCount: Int(arguments[3]) ?? 1)
  var files = try Files(arguments[1], on: context)
  let distance = try PerceptualDistance(
    weights: URL(fileURLWithPath: arguments[0]), on: context)
  let (x, y) = (try files.images("x"), try files.images("y"))
  let tape = Tape()
  let variable = tape.variable(x)
  let result = timed("distance") {
    distance(variable, y, weights: [Double](repeating: 1, count: x.shape[0]))
  }
  let dx = timed("gradient") { tape.gradients(of: result.total, at: [variable])[0] }
  files.results.append(("distances", [x.shape[0]], result.terms.map { Float($0) }))
  if let dx { files.add("grad_x", images: dx) }
  try files.write(arguments[2])
}

do {
  let arguments = Array(CommandLine.arguments.dropFirst())
  switch (arguments.first, arguments.count) {
  case ("run", 6): try run(Array(arguments[1...]), arguments[5] == "bf16" ? .bfloat16 : .float32)
  case ("write", 5): try write(Array(arguments[1...]))
  case ("lpips", 5): try perceptual(Array(arguments[1...]))
  default: throw Usage.wrong("VAEProbe run|write|lpips ...")
  }
} catch {
  FileHandle.standardError.write(Data("VAEProbe: \(error)\n".utf8))
  exit(1)
}
