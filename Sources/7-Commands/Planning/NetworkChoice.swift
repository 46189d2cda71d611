import CommandSupport
import Configuration
import SystemSupport
import TensorCore
import Training

/// Chooses the width of a network for hours of this machine.
struct NetworkChoice {
  /// Parameters for which a run has one image; a network with more per image learns less than a
  /// smaller one that sees more images. A rule of thumb.
  static let parametersPerImage = 8
  /// Widths that are tried, as factors of the configured one.
  static let factors = [0.25, 0.5, 0.75, 1, 1.5, 2, 3]
  /// Share of the time that is left to training, after grids and checkpoints.
  static let trainingShare = 0.95

  /// The network chosen.
  let configuration: Configuration
  /// Images of the budget with it.
  let images: Int
  /// Why.
  let reason: String

  /// Measures the configured network for about `seconds`, and again the one that it leads to.
  init(_ given: Configuration, hours: Double, seconds: Double) throws {
    func budget(_ rate: Double) -> Int { Int(rate * 3_600 * hours * Self.trainingShare) }
    let rate = try Self.rate(of: given, seconds: seconds)
    let work = Double(ResourcePlan(given, ranks: 1).flopsPerImage)
    var chosen: Configuration?
    for factor in Self.factors {
      guard let scaled = Self.scaled(given, by: factor) else { continue }
      let plan = ResourcePlan(scaled, ranks: 1)
      let images = budget(rate * work / Double(plan.flopsPerImage))
      if chosen == nil || images >= plan.parameterCount / Self.parametersPerImage {
        chosen = scaled
      }
    }
    configuration = chosen ?? given
    let isSame = configuration.model == given.model
    let final = isSame ? rate : try Self.rate(of: configuration, seconds: seconds)
    images = max(budget(final), 1_000)
    let parameters = ResourcePlan(configuration, ranks: 1).parameterCount
    reason =
      "\(Format.decimal(final, 1)) images/s measured on this machine, \(images) images in"
      + " \(Format.decimal(hours, 2)) h; the widest of the widths tried with at most"
      + " \(Self.parametersPerImage) parameters per image (\(parameters) here)"
  }

  /// The network with other widths; nil where no network has them.
  static func scaled(_ given: Configuration, by factor: Double) -> Configuration? {
    var configuration = given
    func width(_ width: Int, multipleOf unit: Int) -> Int {
      max(Int((Double(width) * factor / Double(unit)).rounded()), 1) * unit
    }
    if given.model.kind == .latent {
      let unit = given.model.latent.heads * (given.model.latent.heads % 4 == 0 ? 1 : 4)
      configuration.model.latent.width = width(given.model.latent.width, multipleOf: unit)
    } else {
      let unit = given.model.image.headDim
      configuration.model.channels = given.model.channels.map { width($0, multipleOf: unit) }
      configuration.model.image.timeDim = width(given.model.image.timeDim, multipleOf: 4)
    }
    return (try? configuration.validate()) == nil ? nil : configuration
  }

  /// Images per second of training steps with images made up.
  static func rate(of given: Configuration, seconds: Double) throws -> Double {
    var configuration = given
    configuration.train.batch = min(given.train.batch, 64)
    if configuration.train.threads == 0 { configuration.train.threads = ThreadPool.availableCores }
    let plan = ResourcePlan(configuration, ranks: 1)
    configuration.train.microBatch = try plan.microBatch(
      share: configuration.train.batch, threads: configuration.train.threads,
      memory: availableMemory())
    configuration.parallel = ParallelSettings()
    let context = try ComputeContext(threadCount: configuration.train.threads)
    let trainer = Trainer.synthetic(configuration, on: context)
    try trainer.step()  // fills the memory pool and the caches
    let start = MonotonicClock.now
    var steps = 0
    repeat {
      try trainer.step()
      steps += 1
    } while MonotonicClock.now - start < seconds
    return Double(steps * configuration.train.batch) / (MonotonicClock.now - start)
  }
}
