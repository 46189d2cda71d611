import LinearAlgebra
import TensorCore
import Testing

@Suite struct OpenBLASTests {
  @Test func productsAgreeWithAPlainLoop() {
    let context = ComputeContext()
    let (m, k, n) = (5, 7, 3)
    let a = (0..<m * k).map { Float($0 % 11) - 5 }
    let b = (0..<k * n).map { Float($0 % 5) - 2 }
    let c = Tensor([m, n], on: context)
    OpenBLAS.product(Tensor(a, [m, k], on: context), Tensor(b, [k, n], on: context), into: c)
    let wanted = (0..<m * n).map { i in
      (0..<k).reduce(Float(0)) { $0 + a[i / n * k + $1] * b[$1 * n + i % n] }
    }
    #expect(c.floats == wanted)
  }

  @Test func theCoreHasAName() {
    #expect(!OpenBLAS.core.isEmpty)
    #expect(OpenBLAS.betterCore != "SapphireRapids")
  }
}

@Suite struct LinearAlgebraErrorTests {
  @Test func eigensolver() {
    #expect(
      LinearAlgebraError.eigensolver(width: 64, status: 3).description
        == "LAPACK's dsyevd failed on a 64 x 64 matrix (status 3); check free memory and the OpenBLAS"
        + " library")
  }
}
