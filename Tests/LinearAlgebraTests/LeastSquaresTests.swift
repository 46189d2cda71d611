import LinearAlgebra
import Testing

@Suite struct LeastSquaresTests {
  /// A line through (0, 1), (1, 3), (2, 2): by hand 1.5 + 0.5 x.
  @Test func aLineThroughThreePoints() throws {
    let found = try #require(
      LeastSquares.solve([[1, 0], [1, 1], [1, 2]], targets: [1, 3, 2]))
    #expect(abs(found[0] - 1.5) < 1e-12 && abs(found[1] - 0.5) < 1e-12)
  }

  /// Columns of 1e-9 and 1e9 count alike.
  @Test func columnsOfAnyScale() throws {
    let found = try #require(
      LeastSquares.solve([[1e-9, 0], [0, 1e9], [1e-9, 1e9]], targets: [2, 3, 5]))
    #expect(abs(found[0] / 2e9 - 1) < 1e-12 && abs(found[1] / 3e-9 - 1) < 1e-12)
  }

  @Test func withoutASingleSolution() {
    #expect(LeastSquares.solve([[1, 2], [2, 4], [3, 6]], targets: [1, 2, 3]) == nil)
    #expect(LeastSquares.solve([[1, 2]], targets: [1]) == nil)
    #expect(LeastSquares.solve([[0], [0]], targets: [1, 1]) == nil)
    #expect(LeastSquares.solve([[.infinity], [1]], targets: [1, 1]) == nil)
    #expect(LeastSquares.solve([], targets: []) == nil)
  }
}
