import TensorCore

/// A sum of products in f64 with the sum of their magnitudes, from which the rounding that an f32
/// chain of that length may show follows.
struct Expected {
  var value: [Double]
  var magnitude: [Double]
  var terms: [Int]

  init(count: Int) {
    value = [Double](repeating: 0, count: count)
    magnitude = value
    terms = [Int](repeating: 0, count: count)
  }

  mutating func add(_ a: Float, _ b: Float = 1, at i: Int) {
    let product = Double(a) * Double(b)
    value[i] += product
    magnitude[i] += abs(product)
    terms[i] += 1
  }

  /// The largest error as a share of what rounding allows: 1 is the limit. A chain of t products has
  /// at most 2 t roundings (without FMA), each of half an ulp of a partial sum.
  func worst(_ found: [Float]) -> Double {
    guard found.count == value.count else { return .infinity }
    var worst = 0.0
    for i in found.indices {
      let error = abs(Double(found[i]) - value[i])
      let allowed = Double(2 * terms[i] + 2) * 0x1p-24 * magnitude[i]
      guard error > 0 || error.isNaN else { continue }
      worst = max(
        worst, error <= .greatestFiniteMagnitude && allowed > 0 ? error / allowed : .infinity)
    }
    return worst
  }
}

/// Values in (-1, 1), a pure function of the arguments.
func randomFloats(_ count: Int, _ substream: Int) -> [Float] {
  let stream = RandomStream(seed: 11, .test, substream: substream, position: 0)
  var values = [Float](repeating: 0, count: count)
  for i in stride(from: 0, to: count, by: 4) {
    let block = stream.block(i / 4)
    for j in i..<min(i + 4, count) { values[j] = Float(Double(block[j - i]) * 0x1p-31 - 1) }
  }
  return values
}

/// 3x3 convolutions by their definition, on dense NHWC images, with weights [3, 3, ci, co]: `visit`
/// is called for every product with the input pixel, the weight's tap and the output pixel.
struct PlainConvolution {
  let images: Int
  let height: Int
  let width: Int
  let outHeight: Int
  let outWidth: Int
  /// Input position of an output position and a kernel position, along one axis; nil where there is
  /// none.
  let input: @Sendable (_ out: Int, _ k: Int) -> Int?

  /// Stride 1 or 2, padding 1.
  init(images: Int, height: Int, width: Int, stride: Int) {
    (self.images, self.height, self.width) = (images, height, width)
    outHeight = (height + 2 - 3) / stride + 1
    outWidth = (width + 2 - 3) / stride + 1
    input = { out, k in out * stride + k - 1 }
  }

  /// Transposed, stride 2, padding 1, output padding 1: out = 2 in - 1 + k.
  init(transposing images: Int, height: Int, width: Int) {
    (self.images, self.height, self.width) = (images, height, width)
    (outHeight, outWidth) = (2 * height, 2 * width)
    input = { out, k in (out + 1 - k) % 2 == 0 ? (out + 1 - k) / 2 : nil }
  }

  func forEach(_ visit: (_ input: Int, _ tap: Int, _ output: Int) -> Void) {
    for image in 0..<images {
      for y in 0..<outHeight {
        for x in 0..<outWidth {
          for tap in 0..<9 {
            guard let iy = input(y, tap / 3), let ix = input(x, tap % 3),
              (0..<height).contains(iy), (0..<width).contains(ix)
            else { continue }
            visit(
              (image * height + iy) * width + ix, tap, (image * outHeight + y) * outWidth + x)
          }
        }
      }
    }
  }

  func forward(_ x: [Float], _ w: [Float], bias: [Float], ci: Int, co: Int) -> Expected {
    var y = Expected(count: images * outHeight * outWidth * co)
    for i in y.value.indices { y.add(bias[i % co], at: i) }
    forEach { input, tap, output in
      for k in 0..<ci {
        for n in 0..<co {
          y.add(x[input * ci + k], w[(tap * ci + k) * co + n], at: output * co + n)
        }
      }
    }
    return y
  }

  func dataGradient(_ dy: [Float], _ w: [Float], ci: Int, co: Int) -> Expected {
    var dx = Expected(count: images * height * width * ci)
    forEach { input, tap, output in
      for k in 0..<ci {
        for n in 0..<co {
          dx.add(dy[output * co + n], w[(tap * ci + k) * co + n], at: input * ci + k)
        }
      }
    }
    return dx
  }

  func weightGradient(_ x: [Float], _ dy: [Float], ci: Int, co: Int) -> Expected {
    var dw = Expected(count: 9 * ci * co)
    forEach { input, tap, output in
      for k in 0..<ci {
        for n in 0..<co {
          dw.add(x[input * ci + k], dy[output * co + n], at: (tap * ci + k) * co + n)
        }
      }
    }
    return dw
  }
}
