import CKernels
import Testing

/// Convolutions, transposed convolutions and both gradients of each, as tap lists.
@Suite struct ConvolutionKernelTests {
  struct Size: Sendable {
    let images: Int
    let height: Int
    let width: Int
    let ci: Int
    let co: Int
    var inputs: Int { images * height * width }
  }

  static let sizes = [
    Size(images: 1, height: 1, width: 1, ci: 1, co: 1),
    Size(images: 1, height: 2, width: 2, ci: 3, co: 16),
    Size(images: 2, height: 4, width: 6, ci: 5, co: 7),
    Size(images: 3, height: 8, width: 8, ci: 16, co: 32),
    Size(images: 1, height: 16, width: 14, ci: 3, co: 19),
    Size(images: 2, height: 6, width: 2, ci: 33, co: 70),
  ]
  static let oddSizes = [
    Size(images: 2, height: 5, width: 3, ci: 4, co: 9),
    Size(images: 1, height: 1, width: 7, ci: 18, co: 2),
    Size(images: 3, height: 9, width: 11, ci: 6, co: 17),
  ]

  /// A layer: its definition, its forward pass as tap lists on (k = ci, n = co), and its data gradient
  /// as tap lists on (k = co, n = ci).
  struct Layer {
    let plain: PlainConvolution
    let forward: [dk_geometry]
    let backward: [dk_geometry]

    init(_ size: Size, stride: Int) {
      let (b, h, w) = (size.images, size.height, size.width)
      plain = PlainConvolution(images: b, height: h, width: w, stride: stride)
      forward = [.convolution(b, h, w, k: size.ci, n: size.co, stride: stride)]
      backward =
        stride == 1
        ? [.mirrored(b, h, w, k: size.co, n: size.ci)]
        : dk_geometry.transposed(
          b, plain.outHeight, plain.outWidth, outHeight: h, outWidth: w, k: size.co, n: size.ci)
    }

    init(transposing size: Size) {
      let (b, h, w) = (size.images, size.height, size.width)
      plain = PlainConvolution(transposing: b, height: h, width: w)
      forward = dk_geometry.transposed(
        b, h, w, outHeight: 2 * h, outWidth: 2 * w, k: size.ci, n: size.co)
      backward = [.convolution(b, 2 * h, 2 * w, k: size.co, n: size.ci, stride: 2)]
    }

    var outputs: Int { plain.images * plain.outHeight * plain.outWidth }
  }

  static func layers(_ size: Size) -> [Layer] {
    [Layer(size, stride: 1), Layer(size, stride: 2), Layer(transposing: size)]
  }

  @Test(arguments: TypedKernels.available, sizes + oddSizes)
  func forwardMatchesTheDefinition(kernels: TypedKernels, size: Size) {
    let (ci, co) = (size.ci, size.co)
    let (x, w) = (kernels.values(size.inputs * ci, 20), kernels.values(9 * ci * co, 21))
    let bias = kernels.values(co, 22)
    let packed = kernels.pack(w, taps: 9, k: ci, n: co)
    for layer in ConvolutionKernelTests.layers(size) {
      var y = [Float](repeating: .infinity, count: layer.outputs * co)
      for g in layer.forward { kernels.product(g, x, packed, bias: bias, into: &y) }
      #expect(layer.plain.forward(x, w, bias: bias, ci: ci, co: co).worst(y) <= 1)
    }
  }

  @Test(arguments: TypedKernels.available, sizes + oddSizes)
  func dataGradientMatchesTheDefinition(kernels: TypedKernels, size: Size) {
    let (ci, co) = (size.ci, size.co)
    let w = kernels.values(9 * ci * co, 23)
    let packed = kernels.pack(w, taps: 9, k: co, n: ci, transposed: true)
    for layer in ConvolutionKernelTests.layers(size) {
      let dy = kernels.values(layer.outputs * co, 24)
      var dx = [Float](repeating: .infinity, count: size.inputs * ci)
      for g in layer.backward { kernels.product(g, dy, packed, into: &dx) }
      #expect(layer.plain.dataGradient(dy, w, ci: ci, co: co).worst(dx) <= 1)
    }
  }

  @Test(arguments: TypedKernels.available, sizes + oddSizes)
  func weightGradientMatchesTheDefinition(kernels: TypedKernels, size: Size) {
    let (ci, co) = (size.ci, size.co)
    let x = kernels.values(size.inputs * ci, 25)
    for layer in ConvolutionKernelTests.layers(size) {
      let dy = kernels.values(layer.outputs * co, 26)
      var dw = [Float](repeating: .infinity, count: 9 * ci * co)
      for g in layer.forward { kernels.weightGradient(g, x, dy, into: &dw) }
      #expect(layer.plain.weightGradient(x, dy, ci: ci, co: co).worst(dw) <= 1)
    }
  }

  @Test(arguments: TypedKernels.available)
  func bitsDoNotDependOnHowPositionsAreSplit(kernels: TypedKernels) {
    let size = Size(images: 3, height: 10, width: 12, ci: 7, co: 21)  // 360 positions: two blocks
    let (x, w) = (kernels.values(size.inputs * 7, 27), kernels.values(9 * 7 * 21, 28))
    let packed = kernels.pack(w, taps: 9, k: 7, n: 21)
    for layer in ConvolutionKernelTests.layers(size) {
      var whole = [Float](repeating: 0, count: layer.outputs * 21)
      var split = whole
      for g in layer.forward {
        kernels.product(g, x, packed, into: &whole)
        for piece in pieces(g.positions).reversed() {
          kernels.product(g, over: piece, x, packed, into: &split)
        }
      }
      #expect(bits(split) == bits(whole))
    }
  }

  /// The bits of an image's pixels are those it has in a batch of its own.
  @Test(arguments: TypedKernels.available)
  func bitsDoNotDependOnTheBatch(kernels: TypedKernels) {
    let batch = Size(images: 5, height: 8, width: 6, ci: 9, co: 18)
    let single = Size(images: 1, height: 8, width: 6, ci: 9, co: 18)
    let (x, w) = (kernels.values(batch.inputs * 9, 29), kernels.values(9 * 9 * 18, 30))
    let packed = kernels.pack(w, taps: 9, k: 9, n: 18)
    let pairs = zip(ConvolutionKernelTests.layers(batch), ConvolutionKernelTests.layers(single))
    for (layer, alone) in pairs {
      var all = [Float](repeating: 0, count: layer.outputs * 18)
      for g in layer.forward { kernels.product(g, x, packed, into: &all) }
      let size = alone.outputs * 18
      for image in 0..<batch.images {
        let pixels = Array(x[image * single.inputs * 9..<(image + 1) * single.inputs * 9])
        var one = [Float](repeating: 0, count: size)
        for g in alone.forward { kernels.product(g, pixels, packed, into: &one) }
        #expect(bits(one) == bits(Array(all[image * size..<(image + 1) * size])))
      }
    }
  }
}
