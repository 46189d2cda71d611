import Checkpoints
import Testing

@Suite struct ConfigurationDifferenceTests {
  let saved = [
    "model.blocks": "4,4", "modelled": "1", "train.seed": "0", "train.images": "1", "ema.0": "a",
  ]
  let now = [
    "model.blocks": "2,2", "modelled": "2", "train.seed": "0", "train.images": "2", "ema.1": "b",
  ]

  @Test func sectionsAndKeys() {
    let found = ConfigurationDifference.between(
      saved: saved, now: now, keys: ["train.seed", "model", "ema"])
    #expect(
      found == [
        ConfigurationDifference(key: "ema.0", saved: "a", now: nil),
        ConfigurationDifference(key: "ema.1", saved: nil, now: "b"),
        ConfigurationDifference(key: "model.blocks", saved: "4,4", now: "2,2"),
      ])
    #expect(found[2].description == "model.blocks was 4,4, is 2,2")
    #expect(ConfigurationDifference.between(saved: saved, now: saved, keys: ["model"]).isEmpty)
  }

  @Test func errorShowsEveryDifference() {
    let error = CheckpointError.configurationDiffers(
      path: "images-1",
      differences: ConfigurationDifference.between(saved: saved, now: now, keys: ["model", "ema"]))
    #expect(error.description.contains("ema.0 was a, is not set; ema.1 was not set, is b; model"))
    #expect(error.description.contains("--force"))
  }

  @Test func digestDependsOnKeysAndValuesAlone() {
    #expect(Manifest.digest(of: saved) != Manifest.digest(of: now))
    #expect(
      Manifest.digest(of: Dictionary(uniqueKeysWithValues: saved.sorted { $0.key > $1.key }))
        == Manifest.digest(of: saved))
    #expect(Manifest.digest(of: ["a": "bc"]) != Manifest.digest(of: ["ab": "c"]))
  }
}
