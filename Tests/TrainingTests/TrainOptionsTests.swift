import CommandSupport
import Testing
import Training

@Suite("Options of train")
struct TrainOptionsTests {
  @Test(arguments: [
    ("configs/cifar10.yaml", "runs/cifar10"), ("a/b.c/my.run.yml", "runs/my.run"),
    ("plain", "runs/plain"), (".hidden", "runs/.hidden"),
  ])
  func aRunIsNamedAfterItsConfiguration(config: String, run: String) throws {
    #expect(try TrainOptions(config: config).run == run)
    #expect(try TrainOptions(config: config, run: "x").run == "x")
  }

  @Test func withoutAConfigurationThereIsARun() throws {
    #expect(throws: OptionError.self) { try TrainOptions() }
    #expect(try TrainOptions(run: "r").run == "r")
    #expect(try TrainOptions(initialWeights: "a/model.safetensors").run == "runs/model")
  }

  @Test func weightsComeFromOnePlace() throws {
    #expect(throws: OptionError.self) {
      try TrainOptions(config: "c", resume: .checkpoint("a"), initialWeights: "b")
    }
    #expect(try TrainOptions(config: "c", initialWeights: "b").initialWeights == "b")
  }
}
