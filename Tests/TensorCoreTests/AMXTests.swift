import CKernels
import TensorCore
import Testing

/// Products of bf16 on AMX tiles: on this CPU's own where it has them, and on tiles in plain C.
///
/// The suites of products, convolutions and gradients run on these levels too; what follows is about
/// tiles: 32 channels at a time, 16 rows and 16 columns, rows copied where they are not evenly spaced.
@Suite(.enabled(if: KernelTable(.amxEmulated) != nil, "this CPU has no AVX512_BF16"))
struct AMXTests {
  static let kernels = TypedKernels.available.filter {
    $0.dtype == .bfloat16 && $0.table.level >= .amxEmulated
  }

  static func layers(k: Int, n: Int) -> [dk_geometry] {
    [
      .convolution(2, 5, 3, k: k, n: n, stride: 1), .convolution(1, 4, 16, k: k, n: n, stride: 1),
      .convolution(3, 8, 8, k: k, n: n, stride: 1), .convolution(1, 3, 33, k: k, n: n, stride: 1),
      .convolution(2, 9, 7, k: k, n: n, stride: 2), .convolution(1, 5, 64, k: k, n: n, stride: 2),
      .mirrored(1, 7, 20, k: k, n: n),
    ] + dk_geometry.transposed(2, 4, 9, outHeight: 8, outWidth: 18, k: k, n: n)
      + dk_geometry.transposed(1, 5, 17, outHeight: 9, outWidth: 33, k: k, n: n)
  }

  /// The product by its definition, from where the geometry says a tap's input and output lie.
  static func plain(
    _ g: dk_geometry, _ x: [Float], _ w: [Float], bias: [Float]?, addend: [Float]?
  ) -> Expected {
    let (k, n) = (Int(g.in_channels), Int(g.out_channels))
    var y = Expected(count: Int(g.images * g.out_h * g.out_w * g.out_pitch))
    g.forEachProduct { input, weight, output, isFirst in
      if isFirst {
        for j in 0..<n {
          if let bias { y.add(bias[j], at: output + j) }
          if let addend { y.add(addend[output + j], at: output + j) }
        }
      }
      guard let input else { return }
      for i in 0..<k {
        for j in 0..<n { y.add(x[input + i], w[(weight * k + i) * n + j], at: output + j) }
      }
    }
    return y
  }

  @Test(arguments: kernels)
  func rowsOfEveryShapeMatchPlainLoops(kernels: TypedKernels) {
    for k in [1, 31, 32, 33, 64, 96, 160] {
      for n in [3, 16, 48, 96, 130] {
        for rows in [1, 2, 15, 16, 17, 31, 32, 33, 100, 193, 210] {
          var g = dk_geometry.rows(rows, k: k, n: n)
          // Slices of wider tensors, every other time.
          if rows % 2 == 0 { (g.in_pitch, g.out_pitch) = (Int64(k + 7), Int64(n + 5)) }
          let x = kernels.values((rows - 1) * Int(g.in_pitch) + k, 60)
          let w = kernels.values(k * n, 61)
          let (bias, addend) = (randomFloats(n, 62), randomFloats(rows * Int(g.out_pitch), 63))
          let packed = kernels.pack(w, taps: 1, k: k, n: n)
          var y = [Float](repeating: 0, count: rows * Int(g.out_pitch))
          kernels.product(g, x, packed, bias: bias, addend: addend, into: &y)
          let expected = Self.plain(g, x, w, bias: bias, addend: addend)
          #expect(expected.worst(y) <= 1, "rows \(rows), k \(k), n \(n)")
        }
      }
    }
  }

  @Test(arguments: kernels)
  func convolutionsMatchPlainLoopsHoweverTheyAreSplit(kernels: TypedKernels) {
    for (k, n) in [(32, 35), (64, 16), (96, 64)] {
      for g in Self.layers(k: k, n: n) {
        let x = kernels.values(Int(g.images * g.in_h * g.in_w) * k, 64)
        let (w, bias) = (kernels.values(9 * k * n, 65), randomFloats(n, 66))
        let packed = kernels.pack(w, taps: 9, k: k, n: n)
        var y = [Float](repeating: 0, count: Int(g.images * g.out_h * g.out_w) * n)
        kernels.product(g, x, packed, bias: bias, into: &y)
        #expect(Self.plain(g, x, w, bias: bias, addend: nil).worst(y) <= 1, "\(g)")
        var split = [Float](repeating: 0, count: y.count)
        for piece in pieces(g.positions).reversed() {
          kernels.product(g, over: piece, x, packed, bias: bias, into: &split)
        }
        #expect(bits(split) == bits(y), "\(g)")
      }
    }
  }

  /// So many channels that only a few rows at a time fit where rows are copied to, or none.
  @Test(arguments: kernels, [480, 864, 928])
  func wideInputsAreCopiedInPortions(kernels: TypedKernels, k: Int) {
    let n = 18
    let g = dk_geometry.convolution(1, 13, 15, k: k, n: n, stride: 1)
    let (x, w) = (kernels.values(195 * k, 67), kernels.values(9 * k * n, 68))
    let packed = kernels.pack(w, taps: 9, k: k, n: n)
    var y = [Float](repeating: .infinity, count: 195 * n)
    kernels.product(g, x, packed, into: &y)
    #expect(Self.plain(g, x, w, bias: nil, addend: nil).worst(y) <= 1)
  }

  /// The epilogue in bf16 is that of the sums in f32: y rounded once, and GELU of the unrounded y.
  @Test(arguments: kernels)
  func whatFollowsTheSumsIsDoneInF32(kernels: TypedKernels) {
    let (rows, k) = (45, 64)
    for n in [16, 19, 96] {
      let g = dk_geometry.rows(rows, k: k, n: n)
      let (x, w) = (kernels.values(rows * k, 69), kernels.values(k * n, 70))
      let bias = randomFloats(n, 71)
      let packed = kernels.pack(w, taps: 1, k: k, n: n)
      for addend in [nil, kernels.values(rows * n, 72)] {
        var sums = [Float](repeating: 0, count: rows * n)
        kernels.product(g, x, packed, bias: bias, addend: addend, into: &sums)
        let (y, activated) = kernels.typedProduct(g, x, packed, bias: bias, addend: addend)
        #expect(bits(y) == bits(sums.map(\.roundedToBF16)))
        var gelu = [Float](repeating: 0, count: sums.count)
        kernels.table[.float32].gelu(sums, 0, Int64(sums.count), &gelu)
        #expect(bits(activated) == bits(gelu.map(\.roundedToBF16)))
        let alone = kernels.typedProduct(
          g, x, packed, bias: bias, addend: addend, keepsInput: false)
        #expect(bits(alone.activated) == bits(activated))
      }
    }
  }

  @Test(arguments: kernels)
  func weightGradientsMatchPlainLoopsHoweverTheyAreSplit(kernels: TypedKernels) {
    let shapes = [(3, 130), (16, 3), (32, 48), (40, 16), (96, 35)]
    let layers = shapes.flatMap { k, n in
      Self.layers(k: k, n: n) + [1, 31, 33, 100, 257, 300].map { .rows($0, k: k, n: n) }
    }
    for g in layers {
      let (k, n) = (Int(g.in_channels), Int(g.out_channels))
      let x = kernels.values(Int(g.images * g.in_h * g.in_w) * k, 73)
      let dy = kernels.values(Int(g.images * g.out_h * g.out_w) * n, 74)
      let rows = Int(g.weight_taps) * k
      let start = randomFloats(rows * n, 75)
      for accumulate in [false, true] {
        var expected = Expected(count: rows * n)
        // What no tap reaches stays as it is.
        let reached = Set((0..<Int(g.taps)).map { g.tap($0).weight })
        for i in start.indices where accumulate || !reached.contains(i / (k * n)) {
          expected.add(start[i], at: i)
        }
        g.forEachProduct { input, weight, output, _ in
          guard let input else { return }
          for i in 0..<k {
            for j in 0..<n {
              expected.add(x[input + i], dy[output + j], at: (weight * k + i) * n + j)
            }
          }
        }
        var (whole, split) = (start, start)
        kernels.weightGradient(g, x, dy, into: &whole, accumulate: accumulate)
        #expect(expected.worst(whole) <= 1, "\(g)")
        for piece in pieces(rows).reversed() {
          kernels.weightGradient(g, over: piece, x, dy, into: &split, accumulate: accumulate)
        }
        #expect(bits(split) == bits(whole), "\(g)")
      }
    }
  }

  /// TDPBF16PS as Intel's manual writes it: the even and the odd elements of 32 products are summed by
  /// fused multiply-adds from zero, and their sum is added to what is there; subnormal numbers are
  /// taken for zeros and none are made, unless `keepsSubnormals`.
  func manual(_ sum: Float, _ x: [Float], _ w: [Float], keepsSubnormals: Bool) -> Float {
    func flush(_ v: Float) -> Float { v.isSubnormal && !keepsSubnormals ? v * 0 : v }
    var halves: [Float] = [0, 0]
    for k in x.indices {
      halves[k % 2] = flush(halves[k % 2].addingProduct(flush(x[k]), flush(w[k])))
    }
    return flush(flush(sum) + flush(halves[0] + halves[1]))
  }

  /// Ordinary numbers, products that are subnormal, and inputs that are.
  @Test(arguments: kernels, [(Float(1), Float(1)), (0x1p-62, 0x1p-63), (0x1p-125, 0x1p20)])
  func aSumHasTheBitsOfTheManual(kernels: TypedKernels, scales: (x: Float, w: Float)) {
    let (rows, k, n) = (19, 96, 20)
    let x = kernels.values(rows * k, 79).map { ($0 * scales.x).roundedToBF16 }
    let w = kernels.values(k * n, 80).map { ($0 * scales.w).roundedToBF16 }
    let bias = randomFloats(n, 81).map { $0 * scales.x * scales.w }
    var y = [Float](repeating: 0, count: rows * n)
    let packed = kernels.pack(w, taps: 1, k: k, n: n)
    // Conversion would lose subnormal numbers: the upper halves as they are.
    let halves = x.map { UInt16($0.bitPattern >> 16) }
    withUnsafePointer(to: .rows(rows, k: k, n: n)) { g in
      bias.withUnsafeBufferPointer { bias in
        var epilogue = dk_epilogue(
          bias: bias.baseAddress, least: nil, addend: nil, activated: nil, output: DK_F32)
        kernels.table[.bfloat16].product(g, 0, Int64(rows), halves, packed, &epilogue, &y)
      }
    }
    let expected = [false, true].map { keepsSubnormals in
      (0..<rows * n).map { i in
        stride(from: 0, to: k, by: 32).reduce(bias[i % n]) { sum, chunk in
          manual(
            sum, (chunk..<chunk + 32).map { x[i / n * k + $0] },
            (chunk..<chunk + 32).map { w[$0 * n + i % n] }, keepsSubnormals: keepsSubnormals)
        }
      }
    }
    #expect(bits(y) == bits(expected[0]))
    #expect((expected[0] == expected[1]) == (scales.x == 1))
  }

  /// Inputs end where their memory ends: the next page may not be read.
  @Test(arguments: kernels)
  func nothingIsReadBehindTheInputs(kernels: TypedKernels) throws {
    for (k, n) in [(32, 35), (64, 16), (3, 18), (40, 3)] {
      for g in Self.layers(k: k, n: n) + [.rows(21, k: k, n: n), .rows(64, k: k, n: n)] {
        let rows = Int64(g.weight_taps) * Int64(k)
        let outputs = Int(g.images * g.out_h * g.out_w) * n
        let x = try Fenced(bytes: Int(g.images * g.in_h * g.in_w) * k * 2)
        let dy = try Fenced(bytes: outputs * 2)
        let calls = kernels.table[.bfloat16]
        let packed = try Fenced(
          bytes: Int(calls.packed_bytes(Int64(g.weight_taps), Int64(k), Int64(n))))
        let bias = try Fenced(bytes: n * 4)
        let y = try Fenced(bytes: outputs * 2)
        let dw = try Fenced(bytes: Int(rows) * n * 4)
        withUnsafePointer(to: g) { g in
          var epilogue = dk_epilogue(
            bias: bias.start.assumingMemoryBound(to: Float.self), least: nil, addend: dy.start,
            activated: nil,
            output: DK_BF16)
          calls.product(g, 0, Int64(g.pointee.positions), x.start, packed.start, &epilogue, y.start)
          let bytes = Int(calls.weight_gradient_scratch(g, rows))
          withUnsafeTemporaryAllocation(byteCount: bytes, alignment: 64) { scratch in
            guard let scratch = scratch.baseAddress else { return }
            calls.weight_gradient(
              g, 0, rows, x.start, dy.start, 0, scratch,
              dw.start.assumingMemoryBound(to: Float.self))
          }
        }
      }
    }
  }

  /// Threads cut between strips of 32 channels, or between taps where these are ragged.
  @Test(arguments: kernels)
  func gradientsAreCutWhereNoWorkIsRepeated(kernels: TypedKernels) {
    let grain = { (k: Int) in
      withUnsafePointer(to: dk_geometry.rows(1, k: k, n: 1)) {
        Int(kernels.table[.bfloat16].gradient_grain($0))
      }
    }
    #expect([3, 32, 48, 64, 256].map(grain) == [3, 32, 48, 32, 32])
    #expect(kernels.table[.bfloat16].product_grain == 32)
    #expect(kernels.table[.float32].product_grain == 6)
  }

  /// The emulation is worth what it shares with the CPU.
  @Test(.enabled(if: KernelTable(.amx) != nil, "this CPU has no AMX, or may not use it"))
  func theEmulationHasTheBitsOfTheCPU() throws {
    let tables = [try #require(KernelTable(.amx)), try #require(KernelTable(.amxEmulated))]
    for g in Self.layers(k: 64, n: 80) + [.rows(500, k: 256, n: 130)] {
      let (taps, k, n) = (Int(g.weight_taps), Int(g.in_channels), Int(g.out_channels))
      let outputs = Int(g.images * g.out_h * g.out_w)
      let results = tables.map { table in
        let kernels = TypedKernels(table: table, dtype: .bfloat16)
        let x = kernels.values(Int(g.images * g.in_h * g.in_w) * k, 76)
        // Down to subnormal numbers, which both take for zeros.
        let w = kernels.values(taps * k * n, 77).enumerated().map { i, w in
          i % 3 == 0 ? w * 0x1p-120 : w
        }
        let dy = kernels.values(outputs * n, 78)
        var y = [Float](repeating: 0, count: outputs * n)
        kernels.product(g, x, kernels.pack(w, taps: taps, k: k, n: n), into: &y)
        var dw = [Float](repeating: 0, count: taps * k * n)
        kernels.weightGradient(g, x, dy, into: &dw)
        return [bits(y), bits(dw)]
      }
      #expect(results[0] == results[1], "\(g)")
    }
  }

  @Test(.enabled(if: KernelTable(.amx) != nil, "this CPU has no AMX, or may not use it"))
  func theLoopThatMeasuresThePeakEnds() throws {
    for iterations: Int64 in [0, 1, 1000] { dk_amx_tile_loop(iterations) }
    // Tiles are configured anew by the kernels that follow.
    rowsOfEveryShapeMatchPlainLoops(
      kernels: TypedKernels(table: try #require(KernelTable(.amx)), dtype: .bfloat16))
  }
}
