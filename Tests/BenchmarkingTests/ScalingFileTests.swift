import Benchmarking
import Foundation
import Testing

/// Every file that is no measurement is refused with one line that says why.
@Suite struct ScalingFileTests {
  /// A file with one thing changed.
  private static let good = """
    {"format_version": 1, "ranks": 2, "hosts": ["a", "b"], "threads": 1, "kernels": "avx2",
     "precision": "bf16", "mpi": "MPI", "batch": 8, "micro_batch": 8, "global_batch": 64,
     "bucket_mb": 25, "steps": 3,
     "network": {"parameters": 10, "gradient_elements": 16, "flops_per_image": 1000,
                 "channels": [8], "blocks": [1]},
     "alone": {"seconds": 0.1, "forward": 0.03, "backward": 0.06, "optimizer": 0.01},
     "together": {"seconds": 0.12, "exposed_communication": 0.02},
     "gradient": {"bytes": 64, "seconds": 1e-5, "repeats": 3, "gigabytes_per_second": 1},
     "allreduce": [{"bytes": 8, "seconds": 1e-6, "repeats": 3, "gigabytes_per_second": 1}]}
    """

  private func read(_ text: String) throws -> ScalingMeasurement {
    let file = FileManager.default.temporaryDirectory.appendingPathComponent("\(UUID()).json")
    defer { try? FileManager.default.removeItem(at: file) }
    try Data(text.utf8).write(to: file)
    return try ScalingMeasurement(file: file.path)
  }

  private func reason(_ text: String) throws -> String? {
    do { _ = try read(text) } catch ScalingError.notAMeasurement(let path, let reason) {
      let line = "\(ScalingError.notAMeasurement(path: path, reason: reason))"
      #expect(!line.contains("\n") && line.contains(path) && line.contains("scaling measure"))
      return reason
    }
    return nil
  }

  @Test func aGoodFile() throws {
    let measured = try read(Self.good)
    #expect(measured.points.map(\.bytes) == [8, 64] && measured.together?.seconds == 0.12)
    let copy = try JSONDecoder().decode(
      ScalingMeasurement.self, from: JSONEncoder().encode(measured))
    #expect(copy == measured)
    // One rank sends nothing.
    let one = Self.good.replacingOccurrences(of: "\"ranks\": 2", with: "\"ranks\": 1")
    #expect(try reason(one) == "allreduce has times, but ranks is 1")
  }

  @Test(arguments: [
    ("\"ranks\": 2, ", "", "ranks is missing"),
    ("\"optimizer\": 0.01", "\"other\": 1", "alone.optimizer is missing"),
    ("\"batch\": 8, ", "\"batch\": \"8\", ", "batch has another type than expected"),
    ("\"bf16\"", "\"fp8\"", "precision has an unknown value"),
    ("\"format_version\": 1", "\"format_version\": 2", "format_version is 2, expected 1"),
    ("\"ranks\": 2", "\"ranks\": 0", "ranks is 0, expected a whole number from 1 on"),
    (
      "\"flops_per_image\": 1000", "\"flops_per_image\": -1",
      "network.flops_per_image is -1, expected a whole number from 1 on"
    ),
    ("\"seconds\": 1e-6", "\"seconds\": 0", "allreduce.seconds is 0.0, expected a number above 0"),
    ("\"bytes\": 64", "\"bytes\": -4", "allreduce.bytes is -4.0, expected a number above 0"),
    (
      "\"seconds\": 0.1,", "\"seconds\": 0.05,",
      "alone.seconds is 0.05, less than its phases together"
    ),
    ("\"repeats\": 3,", "\"repeats\": null,", "gradient.repeats has another type than expected"),
    ("{\"format", "[{\"format", "not JSON"),
  ])
  func somethingIsWrong(old: String, new: String, expected: String) throws {
    #expect(Self.good.contains(old))
    #expect(try reason(Self.good.replacingOccurrences(of: old, with: new)) == expected)
  }

  @Test func anEmptyFileAndNone() throws {
    #expect(try reason("") == "not JSON")
    #expect(try reason("[]") == "the file has another type than expected")
    #expect(throws: ScalingError.notAMeasurement(path: "/nowhere.json", reason: "cannot be read")) {
      try ScalingMeasurement(file: "/nowhere.json")
    }
  }
}
