import Benchmarking
import CommandSupport
import Configuration
import Testing

@Suite("Options of bench")
struct BenchOptionsTests {
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
}
