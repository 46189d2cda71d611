import NumericsSupport
import Operators
import TensorCore
import Testing

@Suite struct ConvolutionTests {
  static let kinds = ConvolutionOperator.Kind.allCases
  static let sides = [(1, 1), (4, 4), (5, 7), (8, 3), (2, 6)]
  static let channels = [(1, 3), (3, 5), (5, 16), (16, 33), (33, 1)]

  static func shapes(_ kind: ConvolutionOperator.Kind) -> [PlainConvolution] {
    sides.flatMap { h, w in
      channels.map { k, n in
        PlainConvolution(kind, images: 2, height: h, width: w, inputs: k, outputs: n)
      }
    }
  }

  @Test(arguments: Setup.all, kinds)
  func forward(_ setup: Setup, _ kind: ConvolutionOperator.Kind) {
    let context = setup.context
    for c in Self.shapes(kind) {
      let (x, w, b) = (values(c.inputCount, 1), values(c.weightCount, 2), values(c.outputs, 3))
      for bias in [b, nil] {
        let y = ConvolutionOperator.forward(
          c.tensor(x, on: context), weight: c.weight(w, on: context),
          bias: bias.map { Tensor($0, [c.outputs], on: context) }, kind: kind)
        #expect(y.shape == c.outputShape)
        #expect(relativeError(y, c.forward(x.wide, w.wide, bias?.wide)) < 2e-6, "\(c)")
      }
    }
  }

  @Test(arguments: Setup.all, kinds)
  func gradients(_ setup: Setup, _ kind: ConvolutionOperator.Kind) {
    let context = setup.context
    for c in Self.shapes(kind) {
      let (x, w) = (values(c.inputCount, 1), values(c.weightCount, 2))
      // Not around 0: the bias adds up all of it.
      let dy = values(c.outputCount, 4).map { $0 + 0.25 }
      let expected = c.gradients(dy.wide, x: x.wide, w: w.wide)
      let (tx, ty) = (c.tensor(x, on: context), Tensor(dy, c.outputShape, on: context))
      let dx = ConvolutionOperator.inputGradient(
        ty, weight: c.weight(w, on: context), kind: kind, inputShape: tx.shape)
      #expect(relativeError(dx, expected.dx) < 2e-6, "\(c)")
      checkAccumulation(
        [c.side, c.side, c.inputs, c.outputs], expected.dw, on: context, "\(c) weight"
      ) {
        ConvolutionOperator.weightGradient(tx, ty, kind: kind, into: $0, accumulate: $1)
      }
      checkAccumulation([c.outputs], expected.db, on: context, "\(c) bias") {
        ConvolutionOperator.biasGradient(ty, into: $0, accumulate: $1)
      }
    }
  }

  /// More positions than one block of the kernels: sums go through memory.
  @Test(arguments: kinds)
  func manyPositions(_ kind: ConvolutionOperator.Kind) {
    let context = try! ComputeContext(threadCount: 3)
    let c = PlainConvolution(kind, images: 3, height: 17, width: 13, inputs: 5, outputs: 7)
    let (x, w, dy) = (values(c.inputCount, 1), values(c.weightCount, 2), values(c.outputCount, 4))
    let (tx, ty) = (c.tensor(x, on: context), Tensor(dy, c.outputShape, on: context))
    let y = ConvolutionOperator.forward(
      tx, weight: c.weight(w, on: context), bias: nil, kind: kind)
    #expect(relativeError(y, c.forward(x.wide, w.wide, nil)) < 2e-6)
    let expected = c.gradients(dy.wide, x: x.wide, w: w.wide)
    let dx = ConvolutionOperator.inputGradient(
      ty, weight: c.weight(w, on: context), kind: kind, inputShape: tx.shape)
    #expect(relativeError(dx, expected.dx) < 2e-6)
    checkAccumulation([c.side, c.side, 5, 7], expected.dw, on: context, "weight") {
      ConvolutionOperator.weightGradient(tx, ty, kind: kind, into: $0, accumulate: $1)
    }
  }
}

extension PlainConvolution {
  func tensor(_ x: [Float], on context: ComputeContext) -> Tensor {
    Tensor(x, [images, height, width, inputs], on: context)
  }
  func weight(_ w: [Float], on context: ComputeContext) -> Tensor {
    Tensor(w, [side, side, inputs, outputs], on: context)
  }
  var outputShape: Shape { [images, outputHeight, outputWidth, outputs] }
}
