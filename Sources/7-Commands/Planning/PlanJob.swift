import CommandSupport
import Configuration
import SystemSupport

/// `diffit plan`: settings sized to a budget, with their reasons.
package enum PlanJob {
  /// Seconds for which a network is measured.
  static let measured = 20.0

  /// Chooses, and writes a file or to standard output; only the first process does anything.
  package static func run(_ options: PlanOptions) throws {
    guard ProcessRank.isFirst else { return }
    let given = try Configuration(file: options.config, overrides: options.overrides)
    guard given.model.kind != .vae else {
      throw OptionError(
        option: "--config", found: options.config ?? "(none)",
        expected: "model.kind image or latent; an autoencoder has no such recipe")
    }
    let recipe = try recipe(given, options.budget, seconds: measured)
    guard let path = options.output else {
      return try StandardStreams.write(Array(recipe.yaml.utf8))
    }
    try AtomicFile.write(Array(recipe.yaml.utf8), to: path, durable: true)
    for line in recipe.lines { try StandardStreams.printLine(line) }
    try StandardStreams.printLine("wrote \(path)")
  }

  /// - Parameter seconds: for which a network is measured, where the budget is of hours.
  package static func recipe(
    _ given: Configuration, _ budget: PlanOptions.Budget, seconds: Double
  ) throws -> Recipe {
    switch budget {
    case .images(let images): return try Recipe(given, images: images)
    case .hours(let hours):
      let choice = try NetworkChoice(given, hours: hours, seconds: seconds)
      var recipe = try Recipe(choice.configuration, images: choice.images)
      recipe.note(given.model.kind == .latent ? "model.width" : "model.channels", choice.reason)
      return recipe
    }
  }
}
