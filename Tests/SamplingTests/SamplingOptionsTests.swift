import CommandSupport
import Configuration
import Sampling
import Testing

@Suite("Options of sample and noise")
struct SamplingOptionsTests {
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

  @Test func samplingOptionsThatNoRunTakesAreRefused() throws {
    func checked(_ change: (inout SamplingOptions) throws -> Void) throws -> SamplingOptions {
      var options = SamplingOptions()
      try change(&options)
      try options.validate()
      return options
    }
    func refused(
      _ option: String, _ make: @autoclosure () throws -> SamplingOptions,
      at location: SourceLocation = #_sourceLocation
    ) {
      let error = #expect(throws: OptionError.self, sourceLocation: location) { try make() }
      #expect(error?.description.hasPrefix(option) == true, sourceLocation: location)
    }
    refused("--steps", try checked { $0.steps = 0 })
    refused("--class", try checked { $0.label = -1 })
    refused("--guidance", try checked { $0.guidance = .infinity })
    refused("--batch", try checked { $0.batch = 0 })
    refused("--churn", try checked { $0.churn = -1 })
    refused("--churn", try checked { ($0.sampler, $0.churn) = (.ddim, 1) })
    refused("--eta", try checked { ($0.sampler, $0.eta) = (.heun, 0.5) })
    refused("--guided-channels", try checked { $0.guidedChannels = -1 })
    refused("--eta", try checked { ($0.sampler, $0.eta) = (.ddim, 1.5) })
    for interval in ["1", "2,1", "a,b", "-1,2", "1,2,3", "nan,1"] {
      refused(
        "--guidance-interval",
        try checked { $0.guidanceInterval = try SamplingOptions.interval(interval) })
    }
    #expect(try SamplingOptions.interval("0.2,5") == 0.2...5)
    #expect(try checked { ($0.sampler, $0.eta) = (.ddim, 1) }.eta == 1)
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
