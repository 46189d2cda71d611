import CommandSupport
import Configuration
import Planning
import Testing

@Suite("Recipes sized to a budget")
struct RecipePlanTests {
  private func given(_ overrides: String...) throws -> Configuration {
    try Configuration(yaml: "", name: "", overrides: overrides)
  }

  @Test(arguments: [(1_000, 32), (200_000, 32), (300_000, 64), (1_000_000, 256), (50_000_000, 512)])
  func batchAndRate(images: Int, batch: Int) throws {
    let recipe = try Recipe(given("train.batch=64", "optimizer.lr=1e-3"), images: images)
    let found = recipe.configuration
    #expect(found.train.images == images && found.train.batch == batch)
    let expected = 1e-3 * (Double(batch) / 64).squareRoot()
    #expect(abs(found.optimizer.lr / expected - 1) < 0.05)
    #expect(found.optimizer.warmup == .images(min(images / 10, 200_000)))
    #expect(found.ema.map(\.length) == [0, 0.05, 0.10] && found.ema[0].halfLife == images / 20)
  }

  @Test func longRunsKeepDropoutAndThePipe() throws {
    let before = try given("model.dropout=0.13", "data.augment=0.12")
    let (short, long) = (
      try Recipe(before, images: 1_000_000), try Recipe(before, images: 20_000_000)
    )
    #expect(short.configuration.model.dropout == 0 && short.configuration.data.augment == 0)
    #expect(short.configuration.data.flip && !long.configuration.data.flip)
    #expect(long.configuration.model.dropout == 0.13 && long.configuration.data.augment == 0.12)
    #expect(long.configuration.optimizer.schedule == .inverseSquareRoot)
    #expect(short.configuration.optimizer.schedule == .constant)
  }

  /// What is written reads back as what was chosen, and every reason stands before its key.
  @Test func theFileReadsBack() throws {
    let recipe = try Recipe(given(), images: 500_000)
    #expect(try Configuration(yaml: recipe.yaml, name: "plan") == recipe.configuration)
    let lines = recipe.yaml.split(separator: "\n").map(String.init)
    for (key, why) in recipe.reasons {
      let name = key.split(separator: ".").last ?? ""
      let comments = lines.indices.filter { lines[$0].hasSuffix("# \(why)") }
      let leads = comments.contains { at in
        lines[at...].first { !$0.contains("#") }?.contains("\(name):") ?? false
      }
      #expect(leads, "\(key)")
    }
  }

  @Test func hoursChooseTheWidth() throws {
    let small = try given(
      "model.resolution=8", "model.channels=16", "model.blocks=1", "model.head_dim=8",
      "model.time_dim=16", "model.embed_dim=16", "data.kind=shapes", "data.augment=0",
      "train.batch=8", "train.precision=fp32", "train.threads=1")
    let moment = try PlanJob.recipe(small, .hours(1e-6), seconds: 0.05).configuration
    let year = try PlanJob.recipe(small, .hours(10_000), seconds: 0.05).configuration
    #expect(moment.model.channels[0] <= 16 && year.model.channels[0] > 16)
    #expect(year.train.images > 1_000 * moment.train.images)
    #expect(year.model.channels[0] % 8 == 0)
  }

  @Test func oneBudget() throws {
    #expect(throws: OptionError.self) { try PlanOptions() }
    #expect(throws: OptionError.self) { try PlanOptions(images: "1M", hours: 1) }
    #expect(throws: OptionError.self) { try PlanOptions(images: "many") }
    #expect(throws: OptionError.self) { try PlanOptions(hours: 0) }
    #expect(try PlanOptions(images: "1.5M").budget == .images(1_500_000))
    #expect(try PlanOptions(hours: 2).budget == .hours(2))
  }
}
