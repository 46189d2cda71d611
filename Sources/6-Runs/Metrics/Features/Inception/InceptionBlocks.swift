import Operators
import TensorCore

// The blocks of Inception-v3 on NHWC images, f32. Branches write their channels of the block's
// result where they belong. First layers that read the block's input are one product each. A mean
// over pixels and a 1x1 convolution change places without changing the result, so that the mean is
// taken of fewer channels.

/// Hands out the channels of an image one behind the other.
private struct Channels {
  let images: Tensor
  private var used = 0

  init(_ images: Tensor) { self.images = images }

  mutating func next(_ count: Int) -> ImageChannels {
    defer { used += count }
    return ImageChannels(images, used..<used + count)
  }
}

private let neighbours = ImageWindow(3, padding: 1)
private let halving = ImageWindow(3, stride: 2)

/// The first layers of a block's branches.
private struct Reductions {
  let layer: FrozenConvolution
  let widths: [Int]

  /// - Parameter pooled: the last one belongs to the mean's branch, whose ReLU comes after the
  ///   mean.
  init(
    _ weights: InceptionWeights, _ block: String, _ names: [String], pooled: Bool = true
  ) throws {
    let names = names.map { "\(block).\($0)" }
    layer = try weights.sideBySide(names, rectified: names.count - (pooled ? 1 : 0))
    widths = names.compactMap { name in InceptionLayer.all.first { $0.name == name }?.outputs }
  }

  func callAsFunction(_ x: Tensor) -> [ImageChannels] {
    var channels = Channels(layer(x))
    return widths.map { channels.next($0) }
  }
}

/// 35 x 35: branches of 1x1, 5x5, twice 3x3, and a mean.
struct InceptionA: Sendable {
  private let pointwise, conv5x5, first3x3, second3x3: FrozenConvolution
  private let reductions: Reductions

  init(_ weights: InceptionWeights, _ block: String) throws {
    pointwise = try weights.layer("\(block).branch1x1")
    reductions = try Reductions(
      weights, block, ["branch5x5_1", "branch3x3dbl_1", "branch_pool"])
    conv5x5 = try weights.layer("\(block).branch5x5_2")
    first3x3 = try weights.layer("\(block).branch3x3dbl_2")
    second3x3 = try weights.layer("\(block).branch3x3dbl_3")
  }

  func callAsFunction(_ x: Tensor) -> Tensor {
    let reduced = reductions(x)
    let pooled = reduced[2]
    let width = pointwise.outputs + conv5x5.outputs + second3x3.outputs + pooled.range.count
    var y = Channels(Tensor([x.shape[0], x.shape[1], x.shape[2], width], on: x.context))
    pointwise(ImageChannels(x), into: y.next(pointwise.outputs))
    conv5x5(reduced[0], into: y.next(conv5x5.outputs))
    second3x3(ImageChannels(first3x3(reduced[1])), into: y.next(second3x3.outputs))
    PoolOperator.mean(pooled, neighbours, relu: true, into: y.next(pooled.range.count))
    return y.images
  }
}

/// 35 x 35 to 17 x 17.
struct InceptionB: Sendable {
  private let conv3x3, reduction, first3x3, second3x3: FrozenConvolution

  init(_ weights: InceptionWeights, _ block: String) throws {
    conv3x3 = try weights.layer("\(block).branch3x3")
    reduction = try weights.layer("\(block).branch3x3dbl_1")
    first3x3 = try weights.layer("\(block).branch3x3dbl_2")
    second3x3 = try weights.layer("\(block).branch3x3dbl_3")
  }

  func callAsFunction(_ x: Tensor) -> Tensor {
    let width = conv3x3.outputs + second3x3.outputs + x.shape.channels
    var y = Channels(halved(x, width))
    conv3x3(ImageChannels(x), into: y.next(conv3x3.outputs))
    let reduced = ImageChannels(first3x3(reduction(x)))
    second3x3(reduced, into: y.next(second3x3.outputs))
    PoolOperator.maximum(ImageChannels(x), halving, into: y.next(x.shape.channels))
    return y.images
  }
}

/// 17 x 17: branches of 1x1, 7x7 and twice 7x7, each in two directions, and a mean.
struct InceptionC: Sendable {
  private let pointwise: FrozenConvolution
  private let single, double: [FrozenConvolution]
  private let reductions: Reductions

  init(_ weights: InceptionWeights, _ block: String) throws {
    pointwise = try weights.layer("\(block).branch1x1")
    reductions = try Reductions(
      weights, block, ["branch7x7_1", "branch7x7dbl_1", "branch_pool"])
    var (single, double): ([FrozenConvolution], [FrozenConvolution]) = ([], [])
    for i in 2...3 { single.append(try weights.layer("\(block).branch7x7_\(i)")) }
    for i in 2...5 { double.append(try weights.layer("\(block).branch7x7dbl_\(i)")) }
    (self.single, self.double) = (single, double)
  }

  func callAsFunction(_ x: Tensor) -> Tensor {
    let reduced = reductions(x)
    let width = 4 * pointwise.outputs
    var y = Channels(Tensor([x.shape[0], x.shape[1], x.shape[2], width], on: x.context))
    pointwise(ImageChannels(x), into: y.next(pointwise.outputs))
    chain(single, reduced[0], into: y.next(pointwise.outputs))
    chain(double, reduced[1], into: y.next(pointwise.outputs))
    PoolOperator.mean(reduced[2], neighbours, relu: true, into: y.next(pointwise.outputs))
    return y.images
  }
}

/// 17 x 17 to 8 x 8.
struct InceptionD: Sendable {
  private let conv3x3: FrozenConvolution
  private let conv7x7: [FrozenConvolution]
  private let reductions: Reductions

  init(_ weights: InceptionWeights, _ block: String) throws {
    reductions = try Reductions(
      weights, block, ["branch3x3_1", "branch7x7x3_1"], pooled: false)
    conv3x3 = try weights.layer("\(block).branch3x3_2")
    var conv7x7: [FrozenConvolution] = []
    for i in 2...4 { conv7x7.append(try weights.layer("\(block).branch7x7x3_\(i)")) }
    self.conv7x7 = conv7x7
  }

  func callAsFunction(_ x: Tensor) -> Tensor {
    let reduced = reductions(x)
    let last = conv7x7[conv7x7.count - 1].outputs
    var y = Channels(halved(x, conv3x3.outputs + last + x.shape.channels))
    conv3x3(reduced[0], into: y.next(conv3x3.outputs))
    chain(conv7x7, reduced[1], into: y.next(last))
    PoolOperator.maximum(ImageChannels(x), halving, into: y.next(x.shape.channels))
    return y.images
  }
}

/// 8 x 8: branches of 1x1, 3x3 in two directions side by side, the same after a 3x3, and a pool.
struct InceptionE: Sendable {
  private let pointwise, conv3x3, wide, high, doubleWide, doubleHigh: FrozenConvolution
  private let reductions: Reductions
  /// What follows the maximum over neighbours, which the last block of the 2015 graph has for the
  /// mean.
  private let ofMaximum: FrozenConvolution?

  init(
    _ weights: InceptionWeights, _ block: String, maximum: Bool
  ) throws {
    pointwise = try weights.layer("\(block).branch1x1")
    let names = ["branch3x3_1", "branch3x3dbl_1"] + (maximum ? [] : ["branch_pool"])
    reductions = try Reductions(weights, block, names, pooled: !maximum)
    (wide, high) = (
      try weights.layer("\(block).branch3x3_2a"), try weights.layer("\(block).branch3x3_2b")
    )
    conv3x3 = try weights.layer("\(block).branch3x3dbl_2")
    (doubleWide, doubleHigh) = (
      try weights.layer("\(block).branch3x3dbl_3a"), try weights.layer("\(block).branch3x3dbl_3b")
    )
    ofMaximum = maximum ? try weights.layer("\(block).branch_pool") : nil
  }

  func callAsFunction(_ x: Tensor) -> Tensor {
    let reduced = reductions(x)
    let pooled = ofMaximum?.outputs ?? reduced[2].range.count
    let width = pointwise.outputs + 2 * (wide.outputs + doubleWide.outputs) + pooled
    var y = Channels(Tensor([x.shape[0], x.shape[1], x.shape[2], width], on: x.context))
    pointwise(ImageChannels(x), into: y.next(pointwise.outputs))
    wide(reduced[0], into: y.next(wide.outputs))
    high(reduced[0], into: y.next(high.outputs))
    let twice = ImageChannels(conv3x3(reduced[1]))
    doubleWide(twice, into: y.next(doubleWide.outputs))
    doubleHigh(twice, into: y.next(doubleHigh.outputs))
    if let ofMaximum {
      let largest = PoolOperator.maximum(x, neighbours)
      ofMaximum(ImageChannels(largest), into: y.next(pooled))
    } else {
      PoolOperator.mean(reduced[2], neighbours, relu: true, into: y.next(pooled))
    }
    return y.images
  }
}

/// Layers one after the other; the last one writes `y`.
private func chain(_ layers: [FrozenConvolution], _ x: ImageChannels, into y: ImageChannels) {
  var x = x
  for layer in layers.dropLast() { x = ImageChannels(layer(x)) }
  layers.last?(x, into: y)
}

/// The result of a block that halves the image.
private func halved(_ x: Tensor, _ channels: Int) -> Tensor {
  Tensor([x.shape[0], (x.shape[1] - 1) / 2, (x.shape[2] - 1) / 2, channels], on: x.context)
}
