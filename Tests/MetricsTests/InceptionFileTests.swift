import FileFormats
import Foundation
import Metrics
import SystemSupport
import TensorCore
import Testing

/// Files that are not FID-Inception's: one test a fault, each with its one line.
@Suite struct InceptionFileTests {
  /// A change to the right file's tensors.
  struct Fault {
    var missing: String?
    var extra: [(name: String, shape: [Int])] = []
    var shape: (name: String, shape: [Int])?
    var dtype: (name: String, dtype: SafetensorsDType)?
    var value: (name: String, element: Int, value: Float)?
  }

  /// Writes zeros and ones of the right shapes, but for the fault, and loads them.
  private func load(_ fault: Fault) throws -> (error: FeatureError?, path: String) {
    let url = FileManager.default.temporaryDirectory.appendingPathComponent(
      "diffit-\(UUID().uuidString).safetensors")
    defer { unlink(url.path) }
    var tensors = InceptionV3.tensors.filter { $0.name != fault.missing } + fault.extra
    if let (name, shape) = fault.shape, let i = tensors.firstIndex(where: { $0.name == name }) {
      tensors[i].shape = shape
    }
    let types = tensors.map { $0.name == fault.dtype?.name ? fault.dtype?.dtype : nil }
    let writer = try SafetensorsWriter(
      url, zip(tensors, types).map { .init($0.name, $1 ?? .float32, $0.shape) })
    for (tensor, type) in zip(tensors, types) {
      let count = tensor.shape.reduce(1, *)
      if let type {
        try [UInt8](repeating: 0, count: count * type.size).withUnsafeBytes { try writer.write($0) }
        continue
      }
      var values = [Float](repeating: tensor.name.hasSuffix("running_var") ? 1 : 0, count: count)
      if let value = fault.value, value.name == tensor.name { values[value.element] = value.value }
      try writer.write(values)
    }
    try writer.finish()
    do {
      _ = try InceptionV3(weights: url, on: ComputeContext())
      return (nil, url.path)
    } catch let error as FeatureError { return (error, url.path) }
  }

  private func check(
    _ fault: Fault, _ expected: (String) -> FeatureError, _ line: String
  ) throws {
    let (error, path) = try load(fault)
    #expect(error == expected(path))
    let remedy =
      "; make the file with launch/convert-inception.py from pt_inception-2015-12-05-6726825d.pth"
    #expect(error?.description == "\(path): \(line)\(remedy)")
  }

  @Test func aMissingTensor() throws {
    try check(
      Fault(missing: "Mixed_7c.branch_pool.bn.bias"),
      { .missingTensor(path: $0, tensor: "Mixed_7c.branch_pool.bn.bias", expected: [192]) },
      "no tensor Mixed_7c.branch_pool.bn.bias, expected one of shape [192]")
  }

  @Test func anUnknownTensor() throws {
    try check(
      Fault(extra: [("AuxLogits.fc.weight", [10, 2])]),
      { .unknownTensor(path: $0, tensor: "AuxLogits.fc.weight") },
      "tensor AuxLogits.fc.weight is none of the 472 of FID-Inception")
  }

  @Test func aMisshapedTensor() throws {
    try check(
      Fault(shape: ("fc.weight", [1000, 2048])),
      {
        .tensorShape(path: $0, tensor: "fc.weight", found: [1000, 2048], expected: [1008, 2048])
      },
      "tensor fc.weight has shape [1000, 2048], expected [1008, 2048]")
  }

  @Test func anotherType() throws {
    try check(
      Fault(dtype: ("Conv2d_1a_3x3.conv.weight", .float16)),
      { .tensorType(path: $0, tensor: "Conv2d_1a_3x3.conv.weight", found: .float16) },
      "tensor Conv2d_1a_3x3.conv.weight has dtype F16, expected F32")
  }

  @Test func notANumber() throws {
    try check(
      Fault(value: ("Mixed_6b.branch7x7_2.conv.weight", 77, .nan)),
      { .notFinite(path: $0, tensor: "Mixed_6b.branch7x7_2.conv.weight", element: 77) },
      "element 77 of tensor Mixed_6b.branch7x7_2.conv.weight is not a finite number")
  }

  @Test func infiniteBias() throws {
    try check(
      Fault(value: ("fc.bias", 3, .infinity)),
      { .notFinite(path: $0, tensor: "fc.bias", element: 3) },
      "element 3 of tensor fc.bias is not a finite number")
  }

  @Test func aNegativeVariance() throws {
    try check(
      Fault(value: ("Mixed_5b.branch1x1.bn.running_var", 63, -0.5)),
      {
        .negativeVariance(
          path: $0, tensor: "Mixed_5b.branch1x1.bn.running_var", element: 63, found: -0.5)
      },
      "element 63 of tensor Mixed_5b.branch1x1.bn.running_var is -0.5, expected 0 or more")
  }

  /// PyTorch's counters of batches are no fault.
  @Test func countersOfBatchesAreIgnored() throws {
    let counter = "Conv2d_1a_3x3.bn.num_batches_tracked"
    let fault = Fault(extra: [(counter, [])], dtype: (counter, .int64))
    #expect(try load(fault).error == nil)
  }

  @Test func noFile() {
    let url = URL(fileURLWithPath: "/nonexistent/inception.safetensors")
    let expected = FileError.system(operation: "open", path: url.path, code: ENOENT)
    #expect(throws: expected) {
      try InceptionV3(weights: url, on: ComputeContext())
    }
  }

  @Test func noSafetensorsFile() throws {
    let url = FileManager.default.temporaryDirectory.appendingPathComponent(
      "diffit-\(UUID().uuidString).pth")
    defer { unlink(url.path) }
    try Data("PK\u{3}\u{4}: a zip of PyTorch's".utf8).write(to: url)
    #expect {
      try InceptionV3(weights: url, on: ComputeContext())
    } throws: { error in
      guard case .wrongKind = error as? FileError else { return false }
      return "\(error)".contains("is a zip archive, expected a safetensors file")
    }
  }
}
