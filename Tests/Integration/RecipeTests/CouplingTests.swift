import Foundation
import Testing

extension RecipeTests {
  /// `diffusion.coupling`.
  @Suite("Coupled noise") struct CouplingTests {
    /// Only samplers that add no noise are right; the held-out loss does not know of it.
    @Test func onlyDeterministicSamplers() throws {
      let scene = try RecipeScene()
      try scene.train("run", ["diffusion.coupling=best_of", "train.images=32"])
      func sample(_ options: String...) throws -> (code: Int32, errors: String) {
        let outcome = try scene.run(
          ["sample", scene.path("run"), "--seeds", "0", "--steps", "2", "--out"]
            + [scene.path(UUID().uuidString)] + options)
        return (outcome.code, outcome.errors)
      }
      for sampler in ["auto", "heun", "euler", "ddim", "dpm++"] {
        #expect(try sample("--sampler", sampler).code == 0, "\(sampler)")
      }
      for options in [
        ["--sampler", "ddpm"], ["--churn", "5"], ["--sampler", "ddim", "--eta", "0.5"],
      ] {
        let outcome = try scene.run(
          ["sample", scene.path("run"), "--out", scene.path("none")] + options)
        #expect(outcome.code == 2 && outcome.complaints.count == 1)
        #expect(outcome.errors.contains("diffusion.coupling best_of"), "\(outcome.errors)")
      }
      let settings = ["diffusion.coupling=best_of", "sample.sampler=ddpm"]
      let refused = try scene.run(scene.training("other", settings))
      #expect(refused.code == 2 && refused.errors.contains("sample.sampler"))
    }
  }
}
