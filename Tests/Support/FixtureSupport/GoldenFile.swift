import Autodiff
import FileFormats
import NumericsSupport
import TensorCore
import Testing

/// A file of tensors in PyTorch's layouts, from `Tests/Reference/vae`.
package struct GoldenFile {
  /// Where the autoencoder's goldens lie.
  package static let folder = Repository.reference("vae")

  /// The opened file.
  package let file: SafetensorsFile
  /// Where tensors made of it lie.
  package let context: ComputeContext

  /// - Parameter path: its path from `folder`.
  package init(_ path: String, on context: ComputeContext) throws {
    file = try SafetensorsFile(Self.folder.appendingPathComponent(path))
    self.context = context
  }

  /// The elements of a tensor in the order of the file.
  package func floats(_ name: String) throws -> [Float] { try file.floats(name) }

  /// [B, C, H, W] in the file -> [B, H, W, C].
  package func images(_ name: String) throws -> Tensor {
    let (shape, values) = (try file.entry(name).shape, try file.floats(name))
    let (c, h, w) = (shape[1], shape[2], shape[3])
    let reordered = values.indices.map { i in
      let (image, pixel, channel) = (i / (c * h * w), i / c % (h * w), i % c)
      return values[(image * c + channel) * h * w + pixel]
    }
    return Tensor(reordered, [shape[0], h, w, c], on: context)
  }

  /// A parameter's tensor as memory has it.
  package func memory(_ name: String, _ parameter: Parameter) throws -> [Float] {
    parameter.layout.toMemory(
      try file.floats(name), shape: parameter.layout.fileShape(parameter.shape).dimensions)
  }

  /// Largest error of our gradients relative to the largest gradient of each tensor.
  package func worstGradient(
    _ parameters: ParameterSet, named prefix: String = "grad."
  ) throws -> (name: String, error: Double) {
    // Some have a true gradient of 0, such as that of a key's bias: those are compared with a
    // hundredth of the largest of all.
    var all: [(name: String, difference: Double, largest: Double)] = []
    for parameter in parameters.parameters {
      let expected = try memory(prefix + parameter.name, parameter)
      let ours = parameter.gradient.floats
      let difference = zip(ours, expected).map { Double(abs($0 - $1)) }
      #expect(difference.allSatisfy { $0.isFinite }, "\(parameter.name)")
      all.append(
        (parameter.name, difference.max() ?? 0, expected.map { Double(abs($0)) }.max() ?? 0))
    }
    let largest = all.map(\.largest).max() ?? 0
    let errors = all.map { ($0.name, $0.difference / max($0.largest, 1e-2 * largest)) }
    return errors.max { $0.1 < $1.1 } ?? ("", .infinity)
  }
}

/// Largest |a - b| over the largest |b|; the test fails where the shapes differ.
package func worst(_ a: Tensor, _ b: Tensor) -> Double {
  #expect(a.shape == b.shape)
  return a.shape == b.shape ? relativeError(a, b.floats.wide) : .infinity
}
