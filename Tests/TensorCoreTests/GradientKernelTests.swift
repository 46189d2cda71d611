import CKernels
import TensorCore
import Testing

/// Weight gradients of linear layers, column sums, and what holds between instruction sets.
@Suite struct GradientKernelTests {
  func plain(_ x: [Float], _ dy: [Float], rows: Int, k: Int, n: Int) -> Expected {
    var dw = Expected(count: k * n)
    for row in 0..<rows {
      for i in 0..<k {
        for j in 0..<n { dw.add(x[row * k + i], dy[row * n + j], at: i * n + j) }
      }
    }
    return dw
  }

  @Test(arguments: TypedKernels.available)
  func weightGradientsOfEveryShapeMatchPlainLoops(kernels: TypedKernels) {
    for n in 1...130 {
      for rows in [1 + n % 13, n == 40 || n == 77 ? 500 : 191 + n % 3] {
        let k = 1 + n * 37 % 70
        let (x, dy) = (kernels.values(rows * k, 40), kernels.values(rows * n, 41))
        var dw = [Float](repeating: .infinity, count: k * n)
        kernels.weightGradient(.rows(rows, k: k, n: n), x, dy, into: &dw)
        let worst = plain(x, dy, rows: rows, k: k, n: n).worst(dw)
        #expect(worst <= 1, "rows \(rows), k \(k), n \(n)")
      }
    }
  }

  /// Threads share a weight gradient by its rows: the pieces make the whole, bit for bit.
  @Test(arguments: TypedKernels.available)
  func bitsDoNotDependOnHowTheWeightIsSplit(kernels: TypedKernels) {
    let g = dk_geometry.convolution(2, 11, 13, k: 10, n: 37, stride: 1)
    let (x, dy) = (kernels.values(286 * 10, 42), kernels.values(286 * 37, 43))
    for accumulate in [false, true] {
      let start = kernels.values(90 * 37, 44)
      var (whole, split) = (start, start)
      kernels.weightGradient(g, x, dy, into: &whole, accumulate: accumulate)
      for piece in pieces(90).reversed() {
        kernels.weightGradient(g, over: piece, x, dy, into: &split, accumulate: accumulate)
      }
      #expect(bits(split) == bits(whole))
      #expect(bits(whole) != bits(start))
    }
  }

  @Test(arguments: TypedKernels.available)
  func accumulatingAddsToWhatIsThere(kernels: TypedKernels) {
    let (rows, k, n) = (300, 9, 35)
    let (x, dy) = (kernels.values(rows * k, 45), kernels.values(rows * n, 46))
    let start = kernels.values(k * n, 47)
    var dw = start
    kernels.weightGradient(.rows(rows, k: k, n: n), x, dy, into: &dw, accumulate: true)
    var expected = plain(x, dy, rows: rows, k: k, n: n)
    for i in start.indices { expected.add(start[i], at: i) }
    #expect(expected.worst(dw) <= 1)
  }

  /// Slices of wider tensors.
  @Test(arguments: TypedKernels.available)
  func pitchesAreHonoured(kernels: TypedKernels) {
    let (rows, k, n) = (23, 6, 13)
    let (wideX, wideDY) = (kernels.values(rows * 10, 48), kernels.values(rows * 17, 49))
    var g = dk_geometry.rows(rows, k: k, n: n)
    (g.in_pitch, g.out_pitch) = (10, 17)
    var dw = [Float](repeating: .infinity, count: k * n)
    kernels.weightGradient(g, wideX, wideDY, into: &dw)
    let x = (0..<rows * k).map { wideX[$0 / k * 10 + $0 % k] }
    let dy = (0..<rows * n).map { wideDY[$0 / n * 17 + $0 % n] }
    #expect(plain(x, dy, rows: rows, k: k, n: n).worst(dw) <= 1)
  }

  @Test(arguments: TypedKernels.available)
  func columnSumsMatchPlainLoopsHoweverTheyAreSplit(kernels: TypedKernels) {
    for n in [1, 2, 4, 7, 8, 15, 16, 17, 33, 130] {
      for rows in [1, 2, 13, 255, 256, 257, 700] {
        let (x, start) = (kernels.values(rows * n, 50), kernels.values(n, 51))
        for accumulate in [false, true] {
          var expected = Expected(count: n)
          for i in x.indices { expected.add(x[i], at: i % n) }
          if accumulate { for i in 0..<n { expected.add(start[i], at: i) } }
          var sums = accumulate ? start : [Float](repeating: .infinity, count: n)
          let fresh = sums
          kernels.columnSums(x, rows: rows, n: n, over: 0..<n, into: &sums, accumulate: accumulate)
          #expect(expected.worst(sums) <= 1, "rows \(rows), n \(n)")
          var split = fresh
          for piece in pieces(n) {
            kernels.columnSums(
              x, rows: rows, n: n, over: piece, into: &split, accumulate: accumulate)
          }
          #expect(bits(split) == bits(sums))
        }
      }
    }
  }

  /// Of the levels that multiply bf16 as two f32 each.
  @Test(.enabled(if: KernelTable(.avx512) != nil, "this CPU has no AVX-512"))
  func avx2AndAVX512GiveTheSameBits() throws {
    let tables = [try #require(KernelTable(.avx2)), try #require(KernelTable(.avx512))]
    let layers =
      [
        dk_geometry.rows(205, k: 70, n: 130), .rows(7, k: 33, n: 17),
        .convolution(2, 12, 9, k: 11, n: 40, stride: 1),
        .convolution(2, 12, 10, k: 11, n: 40, stride: 2),
      ] + dk_geometry.transposed(2, 6, 5, outHeight: 12, outWidth: 10, k: 11, n: 40)
    for (g, dtype) in layers.flatMap({ g in [(g, DType.float32), (g, .bfloat16)] }) {
      let (taps, k, n) = (Int(g.weight_taps), Int(g.in_channels), Int(g.out_channels))
      let x = randomFloats(Int(g.images * g.in_h * g.in_w) * k, 52)
      let (w, bias) = (randomFloats(taps * k * n, 53), randomFloats(n, 54))
      let outputs = Int(g.images * g.out_h * g.out_w)
      let dy = randomFloats(outputs * n, 55)
      let results = tables.map { table in
        let kernels = TypedKernels(table: table, dtype: dtype)
        var y = [Float](repeating: 0, count: outputs * n)
        let packed = kernels.pack(w, taps: taps, k: k, n: n)
        kernels.product(g, x, packed, bias: bias, into: &y)
        kernels.product(g, x, packed, addend: y, into: &y)
        var dw = [Float](repeating: 0, count: taps * k * n)
        kernels.weightGradient(g, x, dy, into: &dw)
        kernels.weightGradient(g, x, dy, into: &dw, accumulate: true)
        var sums = [Float](repeating: 0, count: n)
        kernels.columnSums(dy, rows: outputs, n: n, over: 0..<n, into: &sums)
        return [y, dw, sums].map(bits)
      }
      #expect(results[0] == results[1])
      #expect(results[0][0].contains { $0 != 0 } && results[0][1].contains { $0 != 0 })
    }
  }
}
