import FileFormats
import Foundation
import Operators
import TensorCore

/// A file of FID-Inception's 472 tensors, checked, and the layers made of it.
struct InceptionWeights {
  private let file: SafetensorsFile
  private let context: ComputeContext
  private let layers: [String: InceptionLayer]

  /// Batch norm's epsilon in the 2015 graph.
  private static let epsilon = 1e-3

  /// Checks names, types and shapes; values are checked when they are read.
  init(_ url: URL, on context: ComputeContext) throws {
    file = try SafetensorsFile(url)
    self.context = context
    layers = Dictionary(uniqueKeysWithValues: InceptionLayer.all.map { ($0.name, $0) })
    let expected = InceptionV3.tensors
    for (name, shape) in expected {
      guard let entry = file[name] else {
        throw FeatureError.missingTensor(path: file.path, tensor: name, expected: shape)
      }
      guard entry.dtype == .float32 else {
        throw FeatureError.tensorType(path: file.path, tensor: name, found: entry.dtype)
      }
      guard entry.shape == shape else {
        throw FeatureError.tensorShape(
          path: file.path, tensor: name, found: entry.shape, expected: shape)
      }
    }
    let known = Set(expected.map(\.name))
    // PyTorch counts its batches beside the statistics; nothing is computed from that.
    for entry in file.entries
    where !known.contains(entry.name) && !entry.name.hasSuffix(".bn.num_batches_tracked") {
      throw FeatureError.unknownTensor(path: file.path, tensor: entry.name)
    }
  }

  /// One layer with its batch norm folded into weights and bias.
  func layer(_ name: String) throws -> FrozenConvolution {
    try sideBySide([name])
  }

  /// Layers that read the same input as one product, their outputs one beside the other.
  ///
  /// - Parameter rectified: how many of them a ReLU follows; all where it is not given.
  func sideBySide(
    _ names: [String], rectified: Int? = nil
  ) throws -> FrozenConvolution {
    var parts: [(weights: [Float], bias: [Float])] = []
    let layers = names.map(layer(named:))
    let (window, inputs) = (layers[0].window, layers[0].inputs)
    for layer in layers {
      invariant(
        layer.window == window && layer.inputs == inputs,
        "InceptionWeights: \(names) do not read the same windows")
      parts.append(try folded(layer))
    }
    let outputs = layers.map(\.outputs)
    var weights: [Float] = []
    weights.reserveCapacity(parts.reduce(0) { $0 + $1.weights.count })
    for row in 0..<window.height * window.width * inputs {
      for (part, width) in zip(parts, outputs) {
        weights += part.weights[row * width..<(row + 1) * width]
      }
    }
    return FrozenConvolution(
      window, inputs: inputs, outputs: outputs.reduce(0, +), weights: weights,
      bias: parts.flatMap(\.bias), relu: outputs.prefix(rectified ?? outputs.count).reduce(0, +),
      on: context)
  }

  /// The classifier as a 1x1 convolution, without its bias.
  func classifier() throws -> FrozenConvolution {
    _ = try floats("fc.bias")
    let shape = [InceptionLayer.classes, InceptionV3.width]
    let weights = TensorLayout.linear.toMemory(try floats("fc.weight"), shape: shape)
    return FrozenConvolution(
      ImageWindow(1), inputs: shape[1], outputs: shape[0], weights: weights, bias: nil, relu: 0,
      on: context)
  }

  private func layer(named name: String) -> InceptionLayer {
    guard let layer = layers[name] else { preconditionFailure("Inception has no layer \(name)") }
    return layer
  }

  /// gamma (conv(x) - mean) / sqrt(var + eps) + beta as one convolution: computed in f64, rounded
  /// once.
  private func folded(
    _ layer: InceptionLayer
  ) throws -> (weights: [Float], bias: [Float]) {
    let tensors = layer.tensors
    let (gamma, beta) = (try floats(tensors[1].name), try floats(tensors[2].name))
    let (mean, variance) = (try floats(tensors[3].name), try floats(tensors[4].name))
    if let element = variance.firstIndex(where: { $0 < 0 }) {
      throw FeatureError.negativeVariance(
        path: file.path, tensor: tensors[4].name, element: element, found: variance[element])
    }
    var weights = try floats(tensors[0].name)
    let row = weights.count / layer.outputs
    var bias = [Float](repeating: 0, count: layer.outputs)
    for channel in 0..<layer.outputs {
      let scale =
        Double(gamma[channel]) / (Double(variance[channel]) + InceptionWeights.epsilon).squareRoot()
      bias[channel] = Float(Double(beta[channel]) - Double(mean[channel]) * scale)
      for i in channel * row..<(channel + 1) * row {
        weights[i] = Float(Double(weights[i]) * scale)
      }
    }
    return (TensorLayout.convolution.toMemory(weights, shape: tensors[0].shape), bias)
  }

  private func floats(_ name: String) throws -> [Float] {
    let values = try file.floats(name)
    if let element = values.firstIndex(where: { !$0.isFinite }) {
      throw FeatureError.notFinite(path: file.path, tensor: name, element: element)
    }
    return values
  }
}
