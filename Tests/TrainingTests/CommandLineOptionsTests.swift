import Benchmarking
import CommandSupport
import Configuration
import Parity
import Sampling
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
    let error = #expect(throws: OptionError.self) { try SeedList(text) }
    #expect(error?.option == "--seeds" && error?.found == text)
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
    #expect(throws: OptionError.self) {
      try TrainOptions(config: "c", resume: .checkpoint("a"), initialWeights: "b")
    }
    #expect(try TrainOptions(config: "c", initialWeights: "b").initialWeights == "b")
  }

  @Test func toleranceFollowsPrecision() throws {
    #expect(try ParityOptions(golden: "g").tolerance == 1e-4)
    #expect(try ParityOptions(golden: "g", tolerance: 0.5).tolerance == 0.5)
    #expect(throws: OptionError.self) { try ParityOptions(golden: "g", tolerance: 0) }
    #expect(throws: OptionError.self) { try ParityOptions(golden: "g", tolerance: .nan) }
    #expect(throws: OptionError.self) { try ParityOptions(golden: "g", threads: -1) }
    #expect(try ParityOptions(golden: "g", precision: .bf16).tolerance == 3e-2)
  }

  @Test func benchPutsItsOptionsIntoTheConfiguration() throws {
    let options = try BenchOptions(
      overrides: ["train.micro_batch=64", "model.blocks=1,1,1"], threads: 3, batch: 8)
    let configuration = try options.configuration()
    #expect(configuration.train.batch == 8 && configuration.train.microBatch == 8)
    #expect(configuration.train.threads == 3 && configuration.model.image.blocks == [1, 1, 1])
    let half = try BenchOptions(precision: .bf16)
    #expect(try half.configuration().train.precision == .bf16)
    #expect(throws: OptionError.self) { try BenchOptions(batch: 0) }
    #expect(throws: OptionError.self) { try BenchOptions(images: 0) }
    #expect(throws: OptionError.self) { try BenchOptions(threads: 0) }
  }

  @Test func whatCannotBeDrawnIsRefused() throws {
    func refused(
      _ option: String, _ make: @autoclosure () throws -> SamplingOptions,
      at location: SourceLocation = #_sourceLocation
    ) {
      let error = #expect(throws: OptionError.self, sourceLocation: location) { try make() }
      #expect(error?.description.hasPrefix(option) == true, sourceLocation: location)
    }
    refused("--steps", try SamplingOptions(steps: 0))
    refused("--class", try SamplingOptions(label: -1))
    refused("--guidance", try SamplingOptions(guidance: .infinity))
    refused("--batch", try SamplingOptions(batch: 0))
    refused("--churn", try SamplingOptions(churn: -1))
    refused("--churn", try SamplingOptions(sampler: .ddim, churn: 1))
    refused("--eta", try SamplingOptions(sampler: .heun, eta: 0.5))
    refused("--guided-channels", try SamplingOptions(guidedChannels: -1))
    refused("--eta", try SamplingOptions(sampler: .ddim, eta: 1.5))
    for interval in ["1", "2,1", "a,b", "-1,2", "1,2,3", "nan,1"] {
      refused("--guidance-interval", try SamplingOptions(guidanceInterval: interval))
    }
    #expect(try SamplingOptions(guidanceInterval: "0.2,5").guidanceInterval == 0.2...5)
    #expect(try SamplingOptions(sampler: .ddim, eta: 1).eta == 1)
  }

  @Test func noiseLevelsAreNumbersFromZeroOn() throws {
    let options = try NoiseOptions(image: "i", output: "o", levels: "0,0.5,80")
    #expect(options.noise == .levels([0, 0.5, 80]))
    for levels in ["", "1,", "-1", "inf", "nan", "a"] {
      #expect(throws: OptionError.self) {
        try NoiseOptions(image: "i", output: "o", levels: levels)
      }
    }
    #expect(throws: OptionError.self) {
      try NoiseOptions(image: "i", output: "o", resolution: 0)
    }
  }

  @Test func noiseOfTimestepsIsAskedForInsteadOfLevels() throws {
    func options(
      _ timesteps: String?, levels: String? = nil, _ schedule: DiffusionSettings.Schedule? = nil,
      steps: Int? = nil
    ) throws -> NoiseOptions {
      try NoiseOptions(
        image: "i", output: "o", levels: levels, timesteps: timesteps, schedule: schedule,
        steps: steps)
    }
    func refused(_ option: String, _ make: @autoclosure () throws -> NoiseOptions) {
      let error = #expect(throws: OptionError.self) { try make() }
      #expect(
        error?.description.hasPrefix(option) == true, "\(option): \(String(describing: error))")
    }
    #expect(
      try options("0,50,499").noise == .timesteps([0, 50, 499], schedule: .linear, steps: 500))
    #expect(
      try options("999", .cosine, steps: 1000).noise
        == .timesteps([999], schedule: .cosine, steps: 1000))
    for list in ["", "0,", "-1", "0.5", "500", "a"] {
      refused("--timesteps", try options(list))
    }
    refused("--levels", try options("0", levels: "1"))
    refused("--schedule", try options(nil, .cosine))
    refused("--steps", try options(nil, steps: 100))
    refused("--steps", try options("0", steps: 1))
  }
}
