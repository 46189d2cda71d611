import CKernels
import Foundation
import TensorCore
import Testing

/// Products of one tap: linear layers and 1x1 convolutions.
@Suite struct RowProductTests {
  struct Size: Sendable {
    let rows: Int
    let n: Int
    let k: Int
  }

  /// Every height and width of a tile, whole and ragged, and every n up to 130.
  static let sizes: [Size] = {
    let widths = [1, 3, 4, 7, 8, 9, 15, 16, 17, 31, 32, 33, 48, 63, 64, 65, 127, 128, 129, 130]
    let grid = widths.flatMap { n in
      (1...13).flatMap { rows in [1, 2, 5, 16, 33, 70].map { Size(rows: rows, n: n, k: $0) } }
    }
    return grid + (1...130).map { Size(rows: 1 + $0 * 5 % 13, n: $0, k: 1 + $0 * 37 % 70) }
      + [Size(rows: 400, n: 20, k: 9), Size(rows: 193, n: 65, k: 3)]  // several blocks of rows
  }()

  func plain(_ x: [Float], _ w: [Float], bias: [Float]?, _ size: Size) -> Expected {
    var y = Expected(count: size.rows * size.n)
    for row in 0..<size.rows {
      for n in 0..<size.n {
        if let bias { y.add(bias[n], at: row * size.n + n) }
        for k in 0..<size.k {
          y.add(x[row * size.k + k], w[k * size.n + n], at: row * size.n + n)
        }
      }
    }
    return y
  }

  @Test(arguments: TypedKernels.available)
  func productsOfEveryShapeMatchPlainLoops(kernels: TypedKernels) {
    for size in RowProductTests.sizes {
      let x = kernels.values(size.rows * size.k, 1)
      let w = kernels.values(size.k * size.n, 2)
      let bias = size.rows % 2 == 0 ? kernels.values(size.n, 3) : nil
      let packed = kernels.pack(w, taps: 1, k: size.k, n: size.n)
      // Unwritten elements stay infinite.
      var y = [Float](repeating: .infinity, count: size.rows * size.n)
      kernels.product(
        .rows(size.rows, k: size.k, n: size.n), x, packed, bias: bias, into: &y)
      let worst = plain(x, w, bias: bias, size).worst(y)
      #expect(worst <= 1, "\(size)")
    }
  }

  @Test(arguments: TypedKernels.available)
  func transposedPackingHoldsTheSamePanels(kernels: TypedKernels) {
    for (taps, k, n) in [(1, 1, 1), (1, 70, 130), (2, 17, 16), (3, 16, 33), (9, 5, 7), (1, 33, 65)]
    {
      let w = kernels.values(taps * k * n, 4)
      var turned = w
      for t in 0..<taps {
        for i in 0..<k {
          for j in 0..<n { turned[(t * n + j) * k + i] = w[(t * k + i) * n + j] }
        }
      }
      let packed = kernels.pack(w, taps: taps, k: k, n: n)
      #expect(kernels.pack(turned, taps: taps, k: k, n: n, transposed: true) == packed)
      // Nothing is lost: the panels hold the weights and zeros for the columns that fill a vector.
      #expect(
        kernels.unpacked(packed).filter { $0 != 0 }.sorted() == w.filter { $0 != 0 }.sorted())
    }
  }

  @Test(arguments: TypedKernels.available)
  func anAddendIsAddedToTheSums(kernels: TypedKernels) {
    for n in [5, 16, 40, 67] {
      let (x, w) = (kernels.values(7 * 9, 5), kernels.values(9 * n, 6))
      let (bias, addend) = (kernels.values(n, 7), kernels.values(7 * n, 8))
      let packed = kernels.pack(w, taps: 1, k: 9, n: n)
      var plain = addend
      kernels.product(.rows(7, k: 9, n: n), x, packed, bias: bias, into: &plain)
      var added = addend
      kernels.product(
        .rows(7, k: 9, n: n), x, packed, bias: bias, addend: addend, into: &added)
      #expect(bits(added) == bits(zip(plain, addend).map { $0 + $1 }))
    }
  }

  /// The result in the element type is the f32 result, rounded once; GELU is taken of the unrounded.
  @Test(arguments: TypedKernels.available)
  func resultsAreRoundedOnceAndActivated(kernels: TypedKernels) {
    for (rows, k, n) in [(1, 1, 1), (7, 9, 67), (13, 32, 16), (20, 64, 130)] {
      let (x, w) = (kernels.values(rows * k, 5), kernels.values(k * n, 6))
      let (bias, addend) = (kernels.values(n, 7), kernels.values(rows * n, 8))
      let g = dk_geometry.rows(rows, k: k, n: n)
      let packed = kernels.pack(w, taps: 1, k: k, n: n)
      for addend in [nil, addend] {
        var exact = [Float](repeating: 0, count: rows * n)
        kernels.product(g, x, packed, bias: bias, addend: addend, into: &exact)
        let found = kernels.typedProduct(g, x, packed, bias: bias, addend: addend)
        let isWide = kernels.dtype == .float32
        #expect(bits(found.y) == bits(isWide ? exact : exact.map(\.roundedToBF16)))
        for (value, activated) in zip(exact, found.activated) {
          let v = Double(value)
          let gelu = v / (1 + exp(-1.5957691216057308 * (v + 0.044715 * v * v * v)))
          #expect(
            abs(Double(activated) - gelu) <= (isWide ? 0x1p-20 : 0x1p-8) * max(abs(gelu), 1e-3))
        }
        let alone = kernels.typedProduct(
          g, x, packed, bias: bias, addend: addend, keepsInput: false)
        #expect(bits(alone.activated) == bits(found.activated))
        #expect(alone.y.allSatisfy { $0 == 0 })
      }
    }
  }

  /// Pixels further apart than their channels: slices of a wider tensor are read and written in place.
  @Test(arguments: TypedKernels.available)
  func pitchesLeaveNeighbouringChannelsAlone(kernels: TypedKernels) {
    let (rows, k, n, inPitch, outPitch) = (10, 6, 19, 11, 30)
    let (wide, w) = (kernels.values(rows * inPitch, 9), kernels.values(k * n, 10))
    let dense = (0..<rows * k).map { wide[$0 / k * inPitch + $0 % k] }
    let packed = kernels.pack(w, taps: 1, k: k, n: n)
    var expected = [Float](repeating: 0, count: rows * n)
    kernels.product(.rows(rows, k: k, n: n), dense, packed, into: &expected)
    var g = dk_geometry.rows(rows, k: k, n: n)
    (g.in_pitch, g.out_pitch) = (Int64(inPitch), Int64(outPitch))
    var y = [Float](repeating: .infinity, count: rows * outPitch)
    kernels.product(g, wide, packed, into: &y)
    for i in y.indices {
      let (row, column) = (i / outPitch, i % outPitch)
      #expect(y[i] == (column < n ? expected[row * n + column] : .infinity))
    }
  }

  /// A row's bits are the same alone, in any piece and in the whole product.
  @Test(arguments: TypedKernels.available)
  func bitsDoNotDependOnHowRowsAreSplit(kernels: TypedKernels) {
    for (rows, k, n) in [(13, 20, 33), (400, 7, 18), (200, 64, 96)] {
      let (x, w) = (kernels.values(rows * k, 11), kernels.values(k * n, 12))
      let (g, bias) = (dk_geometry.rows(rows, k: k, n: n), kernels.values(n, 13))
      let packed = kernels.pack(w, taps: 1, k: k, n: n)
      var whole = [Float](repeating: 0, count: rows * n)
      kernels.product(g, x, packed, bias: bias, into: &whole)
      var split = [Float](repeating: .infinity, count: rows * n)
      for piece in pieces(rows).reversed() {
        kernels.product(g, over: piece, x, packed, bias: bias, into: &split)
      }
      #expect(bits(split) == bits(whole))
      var one = [Float](repeating: .infinity, count: n)
      kernels.product(
        .rows(1, k: k, n: n), Array(x[(rows - 2) * k..<(rows - 1) * k]), packed, bias: bias,
        into: &one)
      #expect(bits(one) == bits(Array(whole[(rows - 2) * n..<(rows - 1) * n])))
    }
  }

  /// A range writes its own rows and no other.
  @Test(arguments: TypedKernels.available)
  func rowsOutsideTheRangeAreNotTouched(kernels: TypedKernels) {
    let (rows, k, n) = (12, 5, 10)
    let packed = kernels.pack(kernels.values(k * n, 14), taps: 1, k: k, n: n)
    var y = [Float](repeating: .infinity, count: rows * n)
    let x = kernels.values(rows * k, 15)
    kernels.product(.rows(rows, k: k, n: n), over: 4..<4, x, packed, into: &y)
    #expect(y.allSatisfy { $0 == .infinity })
    kernels.product(.rows(rows, k: k, n: n), over: 4..<9, x, packed, into: &y)
    for row in 0..<rows {
      let finite = y[row * n..<(row + 1) * n].allSatisfy(\.isFinite)
      #expect(finite == (4..<9).contains(row))
    }
  }
}
