import Autodiff
import Configuration
import DiffiTModels
import Diffusion
import Evaluation
import ModelLoading
import Operators
import TensorCore

/// Trains an autoencoder to give images back through Gaussian latents: mean |x - y|, a perceptual distance, the
/// latents' KL divergence, and after a while a discriminator that learns beside it.
///
/// Source: Rombach et al., arXiv:2112.10752, appendix G; Esser et al., arXiv:2012.09841, eq. (6)-(7). The
/// published loss is that of a sum over an image's elements; here all is divided by their number.
final class AutoencoderTask: TrainingTask {
  private let model: AutoencoderModel
  var vae: VAE { model.vae }
  private var discriminator: PatchDiscriminator? { model.discriminator }
  private let perceptual: PerceptualDistance?
  private let configuration: Configuration
  /// The weight of the discriminator's term is limited to this multiple.
  private static let largestBalance = 1e4

  /// - Parameter perceptual: its weights read; nil: no such term.
  init(_ configuration: Configuration, perceptual: PerceptualDistance? = nil) {
    model = AutoencoderModel(configuration, recomputes: configuration.train.recompute)
    (self.perceptual, self.configuration) = (perceptual, configuration)
  }

  var sets: [DeclaredSet] { model.sets }
  func imageShape(batch: Int) -> Shape { vae.settings.imageShape(batch: batch) }
  var classes: Int { 0 }
  var augmentLabels: Int { 0 }
  var lossScale: Double { Double(imageShape(batch: 1).count) }
  var columns: LossBreakdown {
    .terms(["l1", "kl", "perceptual", "generator", "discriminator", "balance"])
  }

  func trains(_ set: Int, at imagesSeen: Int) -> Bool {
    set == 0 || imagesSeen >= configuration.vae.discriminatorStart
  }

  /// Images -> latents -> images -> loss -> gradients; then the discriminator on both.
  func trainingStep(_ part: MicroBatch, of shard: Int, for trainer: Trainer) {
    let settings = configuration.vae
    let share = 1 / Double(configuration.train.batch)
    let even = part.positions.map { _ in share }
    let divergence = settings.klWeight / lossScale
    let tape = Tape()
    let coded = trainer.forward { code(part, on: tape, klWeights: even.map { $0 * divergence }) }
    let judged = trainer.forward { judge(coded, part, even, at: trainer.imagesSeen) }
    let root = loss(judged.terms, gradient: judged.gradient, at: coded.image) + coded.kl.total
    trainer.backward(tape, from: root, sending: part.isLast)

    let kl = coded.kl.terms.map { $0 / share / divergence }
    var terms = judged.named.mapValues { $0.map { $0 / share } }
    // Of each element, as the other terms.
    if settings.klWeight > 0 { terms["kl"] = kl.map { $0 / lossScale } }
    if judged.fools {
      terms["discriminator"] = learnToTell(coded.image.value, part, even, for: trainer)
        .map { $0 / share }
    }
    let losses = zip(judged.terms, coded.kl.terms).map { ($0 + $1) / share }
    trainer.statistics.note(losses, terms: terms, shard: shard)
  }

  private typealias Loss = (total: Variable, terms: [Double])

  private struct Coded {
    let hidden: Variable
    let image: Variable
    let kl: Loss
  }

  /// There and back, with latents drawn.
  private func code(_ part: MicroBatch, on tape: Tape, klWeights: [Double]) -> Coded {
    let (mean, logVariance) = vae.encode(tape.constant(part.images))
    let noise = trainingNoise(
      seed: UInt64(configuration.train.seed), positions: part.positions, like: mean.value)
    let z = vae.sample(mean, logVariance, noise: noise)
    let (hidden, image) = vae.decodeInParts(z)
    return Coded(
      hidden: hidden, image: image,
      kl: gaussianDivergence(mean, logVariance, weights: klWeights))
  }

  private struct Judgement {
    /// Of the reconstruction.
    let gradient: Tensor
    /// Weighted losses of the images, without the discriminator's, which is no loss to be small.
    let terms: [Double]
    let named: [String: [Double]]
    /// Whether the discriminator takes part.
    let fools: Bool
  }

  /// How good the reconstruction is, and which way it would be better.
  private func judge(
    _ coded: Coded, _ part: MicroBatch, _ even: [Double], at imagesSeen: Int
  ) -> Judgement {
    let image = coded.image.value
    var named: [String: [Double]] = [:]
    let (plain, terms) = gradient(at: image) { x in
      let difference = absoluteError(x, part.images, weights: even)
      named["l1"] = difference.terms
      guard let perceptual, configuration.vae.perceptualWeight > 0 else { return difference }
      let weight = configuration.vae.perceptualWeight
      let distance = perceptual(x, part.images, weights: even.map { $0 * weight })
      named["perceptual"] = distance.terms.map { $0 / weight }
      return (
        difference.total + distance.total,
        zip(difference.terms, distance.terms).map { $0 + $1 }
      )
    }
    guard let discriminator, trains(1, at: imagesSeen) else {
      return Judgement(gradient: plain, terms: terms, named: named, fools: false)
    }
    let (fooling, fooled) = gradient(at: image) { x in
      hinge(discriminator(x), .generator, weights: even)
    }
    let balance = balance(of: plain, to: fooling, hidden: coded.hidden.value)
    named["generator"] = fooled
    named["balance"] = even.map { $0 * balance }
    let factors = even.map { _ in Float(balance * configuration.vae.discriminatorWeight) }
    return Judgement(
      gradient: scaled(fooling, by: factors, plus: plain), terms: terms, named: named, fools: true)
  }

  /// A loss of the image alone, and its gradient there.
  private func gradient(
    at image: Tensor, of loss: (Variable) -> Loss
  ) -> (Tensor, terms: [Double]) {
    let tape = Tape()
    return withExtendedLifetime(tape) {
      let x = tape.variable(image)
      let (total, terms) = loss(x)
      let found = tape.gradients(of: total, at: [x], keepGraph: false)[0]
      return (found ?? Tensor(zeros: image.shape, on: image.context), terms)
    }
  }

  /// |gradient of the other terms| / |gradient of the discriminator's term| at the last layer, of these
  /// images; eq. (7) of arXiv:2012.09841.
  private func balance(of plain: Tensor, to fooling: Tensor, hidden: Tensor) -> Double {
    func norm(_ image: Tensor) -> Double {
      let gradient = Tensor(vae.lastLayer.shape, on: image.context)
      vae.lastLayerGradient(hidden: hidden, image: image, into: gradient, accumulate: false)
      return gradient.floats.reduce(0) { $0 + Double($1) * Double($1) }.squareRoot()
    }
    // The published epsilon stands beside gradients of sums over elements.
    let ratio = norm(plain) / (norm(fooling) + 1e-4 / lossScale)
    return min(max(ratio, 0), Self.largestBalance)
  }

  /// The discriminator's own gradients, on the images and on what the autoencoder made of them.
  ///
  /// - Returns: weighted losses of the images.
  private func learnToTell(
    _ made: Tensor, _ part: MicroBatch, _ even: [Double], for trainer: Trainer
  ) -> [Double] {
    guard let discriminator else { return [] }
    let (tape, half) = (Tape(), even.map { $0 / 2 })
    return withExtendedLifetime(tape) {
      let (real, fake) = trainer.forward {
        (
          hinge(discriminator(tape.constant(part.images)), .real, weights: half),
          hinge(discriminator(tape.constant(made)), .fake, weights: half)
        )
      }
      trainer.backward(tape, from: real.total + fake.total, sending: false)
      return zip(real.terms, fake.terms).map { $0 + $1 }
    }
  }
}
