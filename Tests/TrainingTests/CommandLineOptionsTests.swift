import Testing
import Training

@Suite("Options of the commands")
struct CommandLineOptionsTests {
  @Test(
    arguments: [
      ("0-3,70", [0, 1, 2, 3, 70]), ("5", [5]), ("9-9", [9]), ("3,1-2", [3, 1, 2]),
    ] as [(String, [UInt64])])
  func seeds(text: String, seeds: [UInt64]) throws {
    let list = try SeedList(text)
    #expect(Array(list) == seeds)
    #expect(list.count == seeds.count)
    #expect(try SeedList(list.description) == list)
  }

  @Test func aLongRangeCostsNothing() throws {
    let list = try SeedList("10-900000009,18446744073709551615")
    #expect(list.count == 900_000_001)
    #expect(list[900_000_000] == .max && list[5] == 15)
  }

  @Test(arguments: [
    "", "a", "1,", ",1", "5-3", "1-2-3", "-1", "1-", "1 2", "1.5", "18446744073709551616",
    "0-18446744073709551615", "0-5,3", "1,1", "0-999999998,1000000000-1000000005", "+1-٣",
  ])
  func malformedSeeds(text: String) {
    let error = #expect(throws: ConfigurationError.self) { try SeedList(text) }
    guard case .badOption("--seeds", text, _) = error else {
      Issue.record("\(String(describing: error))")
      return
    }
  }

  @Test(arguments: [
    ("configs/cifar10.yaml", "runs/cifar10"), ("a/b.c/my.run.yml", "runs/my.run"),
    ("plain", "runs/plain"), (".hidden", "runs/.hidden"),
  ])
  func aRunIsNamedAfterItsConfiguration(config: String, run: String) throws {
    #expect(try TrainOptions(config: config).run == run)
    #expect(try TrainOptions(config: config, run: "x").run == "x")
  }

  @Test func weightsComeFromOnePlace() throws {
    #expect(throws: ConfigurationError.self) {
      try TrainOptions(config: "c", resume: .checkpoint("a"), initialWeights: "b")
    }
    #expect(try TrainOptions(config: "c", initialWeights: "b").initialWeights == "b")
  }

  @Test func toleranceFollowsPrecision() throws {
    #expect(try ParityOptions(golden: "g").tolerance == 1e-4)
    #expect(try ParityOptions(golden: "g", tolerance: 0.5).tolerance == 0.5)
    #expect(throws: ConfigurationError.self) { try ParityOptions(golden: "g", tolerance: 0) }
    #expect(throws: ConfigurationError.self) { try ParityOptions(golden: "g", tolerance: .nan) }
    #expect(throws: ConfigurationError.self) { try ParityOptions(golden: "g", threads: -1) }
    #expect(try ParityOptions(golden: "g", precision: .bf16).tolerance == 3e-2)
  }

  @Test func benchPutsItsOptionsIntoTheConfiguration() throws {
    let options = try BenchOptions(
      overrides: ["train.micro_batch=64", "model.blocks=1,1,1"], threads: 3, batch: 8)
    let configuration = try options.configuration()
    #expect(configuration.train.batch == 8 && configuration.train.microBatch == 8)
    #expect(configuration.train.threads == 3 && configuration.model.blocks == [1, 1, 1])
    let half = try BenchOptions(precision: .bf16)
    #expect(try half.configuration().train.precision == .bf16)
    #expect(throws: ConfigurationError.self) { try BenchOptions(batch: 0) }
    #expect(throws: ConfigurationError.self) { try BenchOptions(images: 0) }
    #expect(throws: ConfigurationError.self) { try BenchOptions(threads: 0) }
  }

  @Test func samplersWithoutAnEngineAreRefusedByName() throws {
    let seeds = try SeedList("0")
    for sampler in SampleOptions.Sampler.allCases {
      let make = { try SampleOptions(checkpoint: "c", seeds: seeds, output: "o", sampler: sampler) }
      if sampler == .heun || sampler == .euler {
        #expect(try make().sampler == sampler)
      } else {
        let error = #expect(throws: ConfigurationError.self) { try make() }
        #expect(error?.description.contains(sampler.rawValue) == true)
      }
    }
    #expect(throws: ConfigurationError.self) {
      try SampleOptions(checkpoint: "c", seeds: seeds, output: "o", steps: 0)
    }
    #expect(throws: ConfigurationError.self) {
      try SampleOptions(checkpoint: "c", seeds: seeds, output: "o", label: -1)
    }
    #expect(throws: ConfigurationError.self) {
      try SampleOptions(checkpoint: "c", seeds: seeds, output: "o", guidance: .infinity)
    }
  }
}
