import CommandSupport
import Evaluation
import Metrics
import Sampling
import Testing

@Suite struct EvaluationRequestTests {
  private func request(
    metrics: String = "fd_random", samples: Int? = nil, repeats: Int = 1,
    features: String = "builtin", batch: Int = 16
  ) throws -> EvaluationRequest {
    var sampling = SamplingOptions()
    sampling.batch = batch
    return try EvaluationRequest(
      target: "run", metrics: metrics, samples: samples, repeats: repeats,
      features: FeatureOptions(features: features), sampling: sampling)
  }

  private func refused(
    _ option: String, _ make: @autoclosure () throws -> EvaluationRequest,
    at location: SourceLocation = #_sourceLocation
  ) {
    let error = #expect(throws: OptionError.self, sourceLocation: location) { try make() }
    #expect(error?.option == option, sourceLocation: location)
  }

  @Test func metricsAreCheckedOnce() throws {
    #expect(try request(metrics: "loss,fd_random").metrics.valueNames == ["loss", "fd_random"])
    #expect(try request(metrics: "kid", features: "f").metrics.inception == [.kid])
    for metrics in ["", "fidd", "loss,", "loss,loss", "fid"] {
      refused("--metrics", try request(metrics: metrics))
    }
  }

  @Test func countsAreChecked() {
    refused("--samples", try request(samples: 0))
    refused("--samples", try request(samples: 1_000_000_001))
    refused("--repeats", try request(repeats: 0))
    refused("--batch", try request(batch: 0))
  }

  @Test func featuresAreChecked() throws {
    #expect(try FeatureOptions().source == .builtin)
    #expect(try FeatureOptions(features: "f").source == .inception(weights: "f"))
    #expect(try FeatureOptions(protocolName: "pytorch-fid").resize == .pytorchFID)
    #expect(throws: OptionError.self) { try FeatureOptions(features: "") }
    #expect(throws: OptionError.self) { try FeatureOptions(protocolName: "tf2") }
    #expect(throws: OptionError.self) { try FeatureOptions(batch: 0) }
  }
}
