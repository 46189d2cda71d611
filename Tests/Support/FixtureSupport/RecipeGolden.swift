import Foundation

/// What `recipe_golden.py` computed from the papers' equations.
package struct RecipeGolden: Decodable {
  /// Weights after three updates of Muon.
  package struct Muon: Decodable {
    package struct Matrices: Decodable {
      package let rows, parts, columns: Int
      package let weights: [Double]
    }
    package let rate, decay, factor: Double
    package let tensors: [Matrices]
  }
  /// The learned weight of noise levels.
  package struct Uncertainty: Decodable {
    package let sigma, losses: [Double]
    package let batch: Int
    package let bias: Double
    package let u: [Double]
    package let share: Double
    package let weightGradient: [Double]
    package let biasGradient: Double
  }
  /// Power-function averages of a walk.
  package struct Averages: Decodable {
    package struct Row: Decodable {
      package let length, gamma: Double
      package let tracked, rebuilt: [Double]
    }
    package let batch, every, steps: Int
    package let lengths: [Double]
    package let rows: [Row]
  }

  package let muon: Muon
  package let uncertainty: Uncertainty
  package let averages: Averages

  /// Reads the file.
  package static func read() throws -> RecipeGolden {
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .convertFromSnakeCase
    return try decoder.decode(
      RecipeGolden.self, from: Data(contentsOf: Repository.reference("recipes.json")))
  }

  /// The numbers in [-1, 1) that the script's function of this name makes.
  package static func walk(_ count: Int, _ seed: Int) -> [Float] {
    var state = seed
    return (0..<count).map { _ in
      state = (1_103_515_245 * state + 12_345) % (1 << 31)
      return Float(Double(state) / Double(1 << 30) - 1)
    }
  }
}
