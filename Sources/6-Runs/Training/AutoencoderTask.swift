import Autodiff
import Configuration
import DiffiTModels
import Diffusion
import Evaluation
import ModelLoading
import Operators
import TensorCore

/// Trains an autoencoder to reconstruct images from Gaussian latents. The loss is the mean of |x -
/// y|, a perceptual distance, the latents' KL divergence, and from some step on a discriminator's
/// judgement; the discriminator is trained at the same time.
///
/// Source: Rombach et al., arXiv:2112.10752, appendix G; Esser et al., arXiv:2012.09841, eq.
/// (6)-(7). The published loss sums over an image's elements; here everything is divided by their
/// number.
final class AutoencoderTask: TrainingTask {
  private let model: AutoencoderModel
  var vae: VAE { model.vae }
  private var discriminator: PatchDiscriminator? { model.discriminator }
  private let perceptual: PerceptualDistance?
  private let configuration: Configuration
  /// The first reconstruction of previews that was not finite.
  var previewFault: String?
  /// The largest factor by which the discriminator's term is balanced.
  private static let largestBalance = 1e4

  /// - Parameter perceptual: the perceptual term, with its weights read; nil: the loss has no such
  ///   term.
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
  func trainingStep(_ microBatch: MicroBatch, in step: StepContext) {
    let settings = configuration.vae
    let share = 1 / Double(configuration.train.batch)
    let even = microBatch.positions.map { _ in share }
    let divergence = settings.klWeight / lossScale
    let tape = Tape()
    let coded = step.forward {
      code(microBatch, on: tape, klWeights: even.map { $0 * divergence })
    }
    let judged = step.forward { judge(coded, microBatch, even, at: step.imagesSeen) }
    let root = loss(judged.terms, gradient: judged.gradient, at: coded.image) + coded.kl.total
    step.backward(tape, from: root, sending: microBatch.isLast)

    let kl = coded.kl.terms.map { $0 / share / divergence }
    var terms = judged.named.mapValues { $0.map { $0 / share } }
    // Per element, as the other terms.
    if settings.klWeight > 0 { terms["kl"] = kl.map { $0 / lossScale } }
    if judged.fools {
      terms["discriminator"] = trainDiscriminator(coded.image.value, microBatch, even, in: step)
        .map { $0 / share }
    }
    let losses = zip(judged.terms, coded.kl.terms).map { ($0 + $1) / share }
    step.note(losses, terms: terms)
  }

  private typealias Loss = (total: Variable, terms: [Double])

  private struct Coded {
    let hidden: Variable
    let image: Variable
    let kl: Loss
  }

  /// Encodes the images, draws latents and decodes them.
  private func code(_ microBatch: MicroBatch, on tape: Tape, klWeights: [Double]) -> Coded {
    let (mean, logVariance) = vae.encode(tape.constant(microBatch.images))
    let noise = trainingNoise(
      seed: UInt64(configuration.train.seed), positions: microBatch.positions, like: mean.value)
    let z = vae.sample(mean, logVariance, noise: noise)
    let (hidden, image) = vae.decodeInParts(z)
    return Coded(
      hidden: hidden, image: image,
      kl: gaussianDivergence(mean, logVariance, weights: klWeights))
  }

  private struct Judgement {
    /// Gradient of the loss at the reconstruction, [B, H, W, C].
    let gradient: Tensor
    /// Each image's weighted loss, without the discriminator's term, which does not measure
    /// quality.
    let terms: [Double]
    /// Each image's loss by term.
    let named: [String: [Double]]
    /// Whether the discriminator takes part.
    let fools: Bool
  }

  /// The loss of the reconstruction, and its gradient there.
  private func judge(
    _ coded: Coded, _ microBatch: MicroBatch, _ even: [Double], at imagesSeen: Int
  ) -> Judgement {
    let image = coded.image.value
    var named: [String: [Double]] = [:]
    let (plain, terms) = gradient(at: image) { x in
      let difference = absoluteError(x, microBatch.images, weights: even)
      named["l1"] = difference.terms
      guard let perceptual, configuration.vae.perceptualWeight > 0 else { return difference }
      let weight = configuration.vae.perceptualWeight
      let distance = perceptual(
        x, microBatch.images, weights: even.map { $0 * weight })
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

  /// A loss that depends only on the image, and its gradient there.
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

  /// |gradient of the other terms| / |gradient of the discriminator's term| at the last layer, for
  /// these images; eq. (7) of arXiv:2012.09841.
  private func balance(of plain: Tensor, to fooling: Tensor, hidden: Tensor) -> Double {
    func norm(_ image: Tensor) -> Double {
      let gradient = Tensor(vae.lastLayer.shape, on: image.context)
      vae.lastLayerGradient(hidden: hidden, image: image, into: gradient, accumulate: false)
      return gradient.floats.reduce(0) { $0 + Double($1) * Double($1) }.squareRoot()
    }
    // The published epsilon is added to gradients of sums over elements; ours are means.
    let ratio = norm(plain) / (norm(fooling) + 1e-4 / lossScale)
    return min(max(ratio, 0), Self.largestBalance)
  }

  /// Adds the gradients of the discriminator's own loss, on the images and on their
  /// reconstructions.
  ///
  /// - Returns: each image's weighted loss.
  private func trainDiscriminator(
    _ made: Tensor, _ microBatch: MicroBatch, _ even: [Double], in step: StepContext
  ) -> [Double] {
    guard let discriminator else { return [] }
    let (tape, half) = (Tape(), even.map { $0 / 2 })
    return withExtendedLifetime(tape) {
      let (real, fake) = step.forward {
        (
          hinge(discriminator(tape.constant(microBatch.images)), .real, weights: half),
          hinge(discriminator(tape.constant(made)), .fake, weights: half)
        )
      }
      step.backward(tape, from: real.total + fake.total, sending: false)
      return zip(real.terms, fake.terms).map { $0 + $1 }
    }
  }
}
