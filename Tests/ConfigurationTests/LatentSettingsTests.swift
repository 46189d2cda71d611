import Configuration
import Testing

@Suite("Settings of latent data") struct LatentSettingsTests {
  private static let latent = [
    "model.kind=latent", "data.kind=latents", "data.path=latents", "data.augment=0",
  ]

  private func refusal(_ changes: String...) throws -> String {
    let error = try #require(throws: ConfigurationError.self) {
      try Configuration(yaml: "", name: "", overrides: Self.latent + changes)
    }
    return error.description
  }

  @Test func theyAreRead() throws {
    let more = ["data.vae=sd-vae", "data.latent_scale=0"]
    let configuration = try Configuration(yaml: "", name: "", overrides: Self.latent + more)
    #expect(configuration.data.vae == "sd-vae" && configuration.data.latentScale == 0)
    #expect(try Configuration(yaml: configuration.yaml, name: "") == configuration)
    #expect(Configuration().data.latentScale == nil && Configuration().data.vae.isEmpty)
    let own = try Configuration(yaml: "", name: "", overrides: ["data.latent_scale=auto"])
    #expect(own == Configuration() && own.dotted["data.latent_scale"] == "auto")
    #expect(try Configuration(dotted: own.dotted, name: "").data.latentScale == nil)
    #expect(try refusal("data.latent_scale=big").contains("a number, or auto"))
  }

  @Test func modelAndDataGoTogether() throws {
    let images = try refusal("data.kind=shapes")
    #expect(images.contains("model.kind") && images.contains("diffit data encode"))
    let image = try refusal("model.kind=image")
    #expect(image.contains("model.kind") && image.contains("latent with data.kind latents"))
  }

  @Test func whatLatentsCannotHave() throws {
    let augmented = try refusal("data.augment=0.12")
    #expect(augmented.contains("data.augment") && augmented.contains("set data.augment=0"))
    #expect(try refusal("data.latent_scale=-1").contains("data.latent_scale"))
    #expect(try refusal("data.path=").contains("data.path"))
  }

  @Test func theCosineScheduleIsWarnedOf() throws {
    let ddpm = ["diffusion.kind=ddpm", "diffusion.schedule=cosine"]
    func warnings(_ changes: [String]) throws -> [String] {
      try Configuration(yaml: "", name: "", overrides: changes).warnings
    }
    let found = try warnings(Self.latent + ddpm)
    #expect(found.count == 1 && found[0].contains("diffusion.schedule"))
    #expect(try warnings(Self.latent + ["diffusion.kind=ddpm", "diffusion.schedule=linear"]) == [])
    #expect(try warnings(ddpm) == [])
  }

  @Test func imagesNeedNoAutoencoder() throws {
    let error = try #require(throws: ConfigurationError.self) {
      try Configuration(yaml: "", name: "", overrides: ["data.vae=x"])
    }
    #expect(error.description.contains("data.vae"))
  }
}
