import Metrics
import Scores
import Testing

@Test func featureMatricesGrowByRows() {
  var matrix = FeatureMatrix(width: 2, values: [1, 2])
  matrix.append(FeatureMatrix(width: 2, values: [3, 4, 5, 6]))
  #expect(matrix.count == 3)
  #expect(matrix.values == [1, 2, 3, 4, 5, 6])
}
