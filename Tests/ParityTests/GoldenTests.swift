import DiffiTModels
import FixtureSupport
import Foundation
import Parity
import TensorCore
import Testing

private let goldens = Repository.reference()

@Suite("The oracle's goldens") struct GoldenTests {
  private static let files =
    ((try? FileManager.default.contentsOfDirectory(
      atPath: goldens.path)) ?? []).filter { $0.hasSuffix(".safetensors") }.sorted()

  private static let levels = KernelTable.Level.allCases.filter { KernelTable($0) != nil }

  @Test func goldensAreThere() { #expect(Self.files.count >= 10) }

  /// Rounding alone gives up to 1.5e-5 where sigma is 0.002 (weight 250,000), so the bound is twice that.
  @Test(arguments: files, levels)
  func outputsAndGradients(_ file: String, _ level: KernelTable.Level) throws {
    let kernels = try #require(KernelTable(level))
    let context = try! ComputeContext(threadCount: level == .portable ? 1 : 2, kernels: kernels)
    let golden = try Golden(goldens.appendingPathComponent(file).path)
    let report = try ParityCheck.compare(golden, tolerance: 1e-4, on: context)
    #expect(report.gradients.count > 15 && report.outputs.count == 2)
    #expect(report.worst < 3e-5, "\(file), \(level): \(report.worst)")
  }

  /// PyTorch's autocast is no closer to its own f32: up to 5.6e-2 on these files.
  @Test(arguments: files, levels)
  func outputsAndGradientsInHalfPrecision(_ file: String, _ level: KernelTable.Level) throws {
    let kernels = try #require(KernelTable(level))
    let context = try! ComputeContext(threadCount: level == .portable ? 1 : 2, kernels: kernels)
    let golden = try Golden(goldens.appendingPathComponent(file).path)
    let report = try ParityCheck.compare(golden, precision: .bf16, tolerance: 3e-2, on: context)
    #expect(report.passed, "\(file), \(level): \(report.worst)")
    let isWide = golden.settings.widths.contains { $0 >= ImageDiffiT.Settings.leastBF16Width }
    #expect((report.worst > 1e-4) == isWide, "bf16 is used in wide stages alone")
  }

  /// A mistake in one weight is seen: the comparison can fail.
  @Test func aChangedNetworkIsNoticed() throws {
    let path = goldens.appendingPathComponent("stages-1.safetensors").path
    var bytes = try Data(contentsOf: URL(fileURLWithPath: path))
    let length = bytes.withUnsafeBytes { Int($0.loadUnaligned(as: UInt64.self)) }
    let header = try #require(
      JSONSerialization.jsonObject(with: bytes[8..<8 + length]) as? [String: Any])
    let entry = try #require(header["param.tokenizer.weight"] as? [String: Any])
    let offsets = try #require(entry["data_offsets"] as? [Int])
    bytes[8 + length + offsets[0] + 3] ^= 0x80  // the sign of the first weight
    let changed = FileManager.default.temporaryDirectory
      .appendingPathComponent("changed-\(UUID().uuidString).safetensors")
    try bytes.write(to: changed)
    defer { try? FileManager.default.removeItem(at: changed) }
    let report = try ParityCheck.compare(
      Golden(changed.path), tolerance: 1e-4, on: ComputeContext())
    #expect(!report.passed)
  }
}

@Suite("Files that are no goldens") struct BadGoldenTests {
  /// A copy of a golden whose header has `old` replaced by `new`, of the same length.
  private func golden(replacing old: String, by new: String) throws -> URL {
    #expect(old.utf8.count == new.utf8.count)
    var bytes = try Data(contentsOf: goldens.appendingPathComponent("classes.safetensors"))
    let range = try #require(bytes.range(of: Data(old.utf8)))
    bytes.replaceSubrange(range, with: Data(new.utf8))
    let url = FileManager.default.temporaryDirectory
      .appendingPathComponent("golden-\(UUID().uuidString).safetensors")
    try bytes.write(to: url)
    return url
  }

  private func expectRefusal(_ old: String, _ new: String, saying part: String) throws {
    let url = try golden(replacing: old, by: new)
    defer { try? FileManager.default.removeItem(at: url) }
    do {
      _ = try ParityCheck.compare(
        Golden(url.path), tolerance: 1e-4, on: ComputeContext())
      Issue.record("\(new) was accepted")
    } catch let error as ParityError {
      #expect("\(error)".contains(part), "\(error)")
    }
  }

  @Test func settingsThatNoNetworkHas() throws {
    try expectRefusal("\\\"head_dim\\\": 8", "\\\"head_dim\\\": 7", saying: "headDim is 7")
    try expectRefusal("\\\"window\\\": 4", "\\\"window\\\": 3", saying: "window is 3")
  }

  @Test func inputsOfAnotherBatch() throws {
    try expectRefusal("\\\"batch\\\": 5", "\\\"batch\\\": 4", saying: "elements, not")
  }

  @Test func anotherKind() throws {
    try expectRefusal("\\\"image\\\"", "\\\"imago\\\"", saying: "imago")
  }
}
