import Foundation
import Testing

extension RecipeTests {
  /// With a reproducible reduction every recipe gives the same state on any number of ranks, with a
  /// sharded optimiser or without, and in two parts as in one.
  @Suite("The same bits") struct SameBitsTests {
    static let recipes = [
      [
        "optimizer.schedule=cosine", "optimizer.warmup=20%", "data.flip=true",
        "model.zero_init=true",
      ],
      ["diffusion.uncertainty=true"],
      ["diffusion.coupling=best_of", "diffusion.candidates=3"],
      ["optimizer.kind=muon", "optimizer.weight_decay=0.1", "optimizer.clip_norm=0.5"],
    ]

    @Test(arguments: recipes) func onAnyRanksAndInParts(recipe: [String]) throws {
      let scene = try RecipeScene()
      let sharded = recipe + ["parallel.shard_optimizer=true", "parallel.bucket_mb=0.02"]
      try scene.train("alone", recipe)
      let expected = try scene.state("alone")
      for ranks in [2, 4] {
        try scene.train("whole-\(ranks)", recipe, ranks: ranks)
        #expect(try scene.state("whole-\(ranks)") == expected, "\(ranks) ranks")
        try scene.train("sharded-\(ranks)", sharded, ranks: ranks)
        #expect(try scene.state("sharded-\(ranks)") == expected, "\(ranks) ranks, sharded")
      }
      // Stopped at a checkpoint, whose run goes on elsewhere.
      try scene.train("parts", sharded + ["checkpoint.every=48"], ranks: 4)
      try FileManager.default.removeItem(
        atPath: scene.path("parts/checkpoints/images-000000000096"))
      try scene.train("parts", recipe, ranks: 2)
      #expect(try scene.state("parts") == expected, "resumed")
    }

    /// What it does shows in the weights, and an old checkpoint's settings are kept.
    @Test(arguments: recipes) func itIsSomethingElse(recipe: [String]) throws {
      let scene = try RecipeScene()
      try scene.train("plain", ["train.images=48"])
      try scene.train("other", ["train.images=48"] + recipe)
      let plain = try #require(try scene.state("plain")["weights"])
      let other = try #require(try scene.state("other")["weights"])
      #expect(Array(other.prefix(plain.count)) != plain)
      let outcome = try scene.run(scene.training("plain", recipe))
      #expect(outcome.code == 2)
      let key = recipe[0].split(separator: "=")[0]
      #expect(outcome.complaints.count == 1 && outcome.errors.contains(key), "\(outcome.errors)")
    }

    /// A rate that depends on the length of the run does not change on the way.
    @Test func theLengthIsFixedWhereTheRateDependsOnIt() throws {
      let scene = try RecipeScene()
      let cooled = ["optimizer.cooldown=25%", "train.images=48"]
      try scene.train("run", cooled)
      let longer = scene.training("run", ["optimizer.cooldown=25%"])
      let outcome = try scene.run(longer)
      #expect(outcome.code == 2 && outcome.errors.contains("train.images was 48, is 96"))
      try scene.succeed(longer + ["--force"])
    }

    /// The uncertainty is trained, saved, and left out of exports, which then start a run.
    @Test func theUncertaintyIsNoPartOfExports() throws {
      let scene = try RecipeScene()
      try scene.train("run", ["diffusion.uncertainty=true"])
      let file = scene.path("model.safetensors")
      try scene.succeed(["export", scene.path("run"), "--out", file])
      let listed = try scene.succeed(["inspect", file]).output
      #expect(!listed.contains("uncertainty."))
      #expect(try scene.succeed(["inspect", scene.path("run")]).output.contains("uncertainty."))
      for setting in ["diffusion.uncertainty=true", "diffusion.uncertainty=false"] {
        try scene.succeed(
          scene.training("from-\(setting)", [setting, "train.images=16"]) + ["--init", file])
      }
      try scene.succeed(["evaluate", scene.path("run"), "--metrics", "loss", "--samples", "8"])
    }
  }
}
