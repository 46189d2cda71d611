import FileFormats
import Foundation
import Images
import Operators
import Scores
import SystemSupport
import TensorCore

/// FID-Inception: Inception-v3 as in the TensorFlow graph of 2015-12-05, which every published FID
/// is made with. Forward only, f32.
///
/// It is torchvision's network without the auxiliary head, except that means over neighbours leave
/// out the padding, the last block has a maximum in place of its mean, and there are 1008 classes.
package struct InceptionV3: FeatureExtractor {
  /// The name in results and reference files.
  package let name = "inception"
  /// XXH3-128 of the weights' file.
  package let digest: String
  /// How images are brought to the network's input.
  package let resize: ResizeProtocol
  /// The name of `resize`.
  package var protocolName: String { resize.rawValue }
  /// The width of each kind of feature.
  package let widths: [FeatureKind: Int] = [
    .pool64: 64, .pool192: 192, .mixed768: 768, .pool2048: 2048, .spatial2023: 2023,
    .logits: InceptionLayer.classes,
  ]

  /// Channels of the last block.
  package static let width = 2048
  /// Images computed at once: memory is bounded, and layers of few pixels still have rows for all
  /// threads.
  private static let batch = 8

  private let level: KernelTable.Level
  private let stem: [FrozenConvolution]
  private let blocks35: [InceptionA]
  private let to17: InceptionB
  private let blocks17: [InceptionC]
  private let to8: InceptionD
  private let blocks8: [InceptionE]
  private let classifier: FrozenConvolution

  /// Names and shapes of the 472 tensors of its file.
  package static var tensors: [(name: String, shape: [Int])] {
    InceptionLayer.all.flatMap(\.tensors) + [
      ("fc.weight", [InceptionLayer.classes, width]), ("fc.bias", [InceptionLayer.classes]),
    ]
  }

  /// Reads the weights, folds the batch norms into them, and packs them for the context's kernels.
  ///
  /// - Parameters:
  ///   - weights: the safetensors file that `launch/convert-inception.py` writes.
  ///   - context: its memory holds the weights, 95 MB; others may run the network if they have the
  ///     same kernels.
  package init(
    weights url: URL, resize: ResizeProtocol = .tf1, on context: ComputeContext
  ) throws {
    let weights = try InceptionWeights(url, on: context)
    digest = try Checksum.ofFile(url.path).digest
    (self.resize, level) = (resize, context.kernels.level)
    var stem: [FrozenConvolution] = []
    for layer in InceptionLayer.all.prefix(5) { stem.append(try weights.layer(layer.name)) }
    self.stem = stem
    blocks35 = [
      try InceptionA(weights, "Mixed_5b"), try InceptionA(weights, "Mixed_5c"),
      try InceptionA(weights, "Mixed_5d"),
    ]
    to17 = try InceptionB(weights, "Mixed_6a")
    blocks17 = [
      try InceptionC(weights, "Mixed_6b"), try InceptionC(weights, "Mixed_6c"),
      try InceptionC(weights, "Mixed_6d"), try InceptionC(weights, "Mixed_6e"),
    ]
    to8 = try InceptionD(weights, "Mixed_7a")
    blocks8 = [
      try InceptionE(weights, "Mixed_7b", maximum: false),
      try InceptionE(weights, "Mixed_7c", maximum: true),
    ]
    classifier = try weights.classifier()
    context.memory.trim()  // what was needed to read and pack
  }

  /// The features of a few images, which may differ in size; see `FeatureExtractor`.
  package func features(
    of images: [RGBImage], kinds: Set<FeatureKind>, on context: ComputeContext
  ) -> [FeatureKind: FeatureMatrix] {
    invariant(
      kinds.isSubset(of: widths.keys) && context.kernels.level == level,
      "InceptionV3: kinds \(kinds), kernels \(context.kernels.level), packed for \(level)")
    var values: [FeatureKind: [Float]] = [:]
    for kind in kinds {
      values[kind] = []
      values[kind]?.reserveCapacity(images.count * (widths[kind] ?? 0))
    }
    for start in stride(from: 0, to: images.count, by: InceptionV3.batch) {
      let end = min(start + InceptionV3.batch, images.count)
      let rows = run(resize.inputs(images[start..<end], on: context), kinds)
      for (kind, rows) in rows { values[kind]? += rows.floats }
    }
    return values.reduce(into: [:]) { result, kind in
      guard let width = widths[kind.key] else { return }
      result[kind.key] = FeatureMatrix(width: width, values: kind.value)
    }
  }

  /// The network itself, no deeper than the wanted features need.
  ///
  /// - Parameter images: [B, 299, 299, 3].
  /// - Returns: [B, width] for each kind, and [B, 17, 17, 7] for the spatial one.
  private func run(_ images: Tensor, _ kinds: Set<FeatureKind>) -> [FeatureKind: Tensor] {
    var (rows, left): ([FeatureKind: Tensor], Set<FeatureKind>) = ([:], kinds)
    func give(_ kind: FeatureKind, _ value: @autoclosure () -> Tensor) {
      if left.remove(kind) != nil { rows[kind] = value() }
    }
    let halving = ImageWindow(3, stride: 2)

    var x = stem[2](stem[1](stem[0](images)))  // 147 x 147
    x = PoolOperator.maximum(x, halving)
    give(.pool64, PoolOperator.imageMeans(x))
    if left.isEmpty { return rows }

    x = PoolOperator.maximum(stem[4](stem[3](x)), halving)
    give(.pool192, PoolOperator.imageMeans(x))
    if left.isEmpty { return rows }

    for block in blocks35 { x = block(x) }
    x = to17(x)
    for block in blocks17.dropLast() { x = block(x) }
    give(.spatial2023, firstChannels(7, of: x))  // those of Mixed_6d.branch1x1 come first
    if left.isEmpty { return rows }

    x = blocks17[blocks17.count - 1](x)
    give(.mixed768, PoolOperator.imageMeans(x))
    if left.isEmpty { return rows }

    x = to8(x)
    for block in blocks8 { x = block(x) }
    let pooled = PoolOperator.imageMeans(x)
    give(.pool2048, pooled)
    give(.logits, classifier(pooled.reshaped([pooled.shape[0], 1, 1, InceptionV3.width])))
    return rows
  }

  private func firstChannels(_ count: Int, of x: Tensor) -> Tensor {
    let y = Tensor([x.shape[0], x.shape[1], x.shape[2], count], on: x.context)
    withFloats(x, y) { from, to in
      for pixel in 0..<x.shape.rows {
        (to + pixel * count).update(from: from + pixel * x.shape.channels, count: count)
      }
    }
    return y
  }
}
