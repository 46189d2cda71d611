import CKernels
import Testing

/// Products that raise their sums to a least value, as ReLU does.
@Suite struct LeastTests {
  @Test(arguments: TypedKernels.available, [(3, 5), (32, 32), (64, 71), (96, 16)])
  func sumsAreRaisedBeforeTheAddendComes(kernels: TypedKernels, shape: (k: Int, n: Int)) {
    let (k, n) = shape
    let g = dk_geometry.convolution(2, 7, 5, k: k, n: n, stride: 1)
    let x = kernels.values(70 * k, 40)
    let packed = kernels.pack(kernels.values(9 * k * n, 41), taps: 9, k: k, n: n)
    let (bias, addend) = (kernels.values(n, 42), kernels.values(70 * n, 43))
    let least = (0..<n).map { $0 % 3 == 0 ? -Float.infinity : $0 % 3 == 1 ? 0 : 0.5 }
    var (plain, raised, both) = (addend, addend, addend)
    kernels.product(g, x, packed, bias: bias, into: &plain)
    kernels.product(g, x, packed, bias: bias, least: least, into: &raised)
    kernels.product(g, x, packed, bias: bias, least: least, addend: addend, into: &both)
    #expect(raised == plain.enumerated().map { max($0.element, least[$0.offset % n]) })
    #expect(both == zip(raised, addend).map { $0 + $1 })
    #expect(raised != plain)
  }
}
